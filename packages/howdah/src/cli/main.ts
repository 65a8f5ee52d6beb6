import { enableCompileCache } from "./compile-cache.js";

// As little as possible here: whatever this file imports, every command waits for.
enableCompileCache();
const { runCli } = await import("./run.js");
const exitCode = await runCli(process.argv.slice(2));
// Idle sockets and timers must not hold the process, and nothing that was written may be lost.
process.stdout.write("", () => process.exit(exitCode));
