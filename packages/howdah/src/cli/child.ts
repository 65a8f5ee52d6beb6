import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { errnoOf, HowdahError } from "../kernel/errors.js";
import type { CommandContext } from "./command.js";

const FORWARDED = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"] as const;

/**
 * Runs a program in our place: same terminal, same streams, signals passed on. Resolves to its exit code; when a signal
 * ended it, the same signal ends us, so that a shell sees what it would have seen without us. Throws TOOL_MISSING.
 */
export async function runInPlace(
  context: CommandContext,
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  missingHint: string,
): Promise<number> {
  const [program, ...args] = command;
  context.releaseSignals();
  const child = spawn(program, args, { stdio: "inherit", env, cwd: context.cwd });
  const listeners = FORWARDED.map((name) => {
    // Ctrl-C on a terminal goes to the whole foreground group: the child has it already, twice would be too much.
    const fromTerminal = process.stdin.isTTY === true && (name === "SIGINT" || name === "SIGQUIT");
    const listener = (): void => {
      if (!fromTerminal) child.kill(name);
    };
    process.on(name, listener);
    return { name, listener };
  });
  try {
    const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
      (resolve, reject) => {
        child.once("error", (error) => reject(spawnError({ program, path: env["PATH"] ?? "" }, error, missingHint)));
        child.once("exit", (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
      },
    );
    if (signal === null) return code ?? 1;
    for (const { name, listener } of listeners) process.off(name, listener);
    process.kill(process.pid, signal);
    // Only for signals that do not end a process of ours.
    return 128 + constants.signals[signal];
  } finally {
    for (const { name, listener } of listeners) process.off(name, listener);
  }
}

function spawnError(tried: { program: string; path: string }, error: Error, missingHint: string): HowdahError {
  const { program } = tried;
  const errno = errnoOf(error);
  // EACCES also comes of a folder on the PATH that we may not enter, whatever the program.
  if (errno === "ENOENT" || (errno === "EACCES" && !program.includes("/") && !isOnPath(tried))) {
    return new HowdahError("TOOL_MISSING", `'${program}' is not installed or not on the PATH`, {
      cause: error,
      hint: missingHint,
    });
  }
  return new HowdahError("TOOL_MISSING", `unable to run '${program}' (${errno ?? error.message})`, {
    cause: error,
    hint: "Check that it is an executable file.",
  });
}

function isOnPath({ program, path }: { program: string; path: string }): boolean {
  return path.split(delimiter).some((folder) => existsSync(join(folder, program)));
}
