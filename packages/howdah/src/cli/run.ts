import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { parseDuration } from "../kernel/durations.js";
import { type Environment, readEnvironment } from "../kernel/environment.js";
import { HowdahError } from "../kernel/errors.js";
import { layoutOf } from "../runtime/layout.js";
import type { CommandContext } from "./command.js";
import { Interrupted, type SignalWatch, watchSignals } from "./interrupt.js";
import { buildProgram } from "./program.js";
import { errorDocument, renderError, toHowdahError } from "./render/errors.js";
import { createOutput, type Output } from "./render/output.js";
import { commandTree } from "./tree/index.js";

/** Parses the words, runs the command, renders what went wrong. Resolves to the exit code and never rejects. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const output = createOutput({ json: wantsJson(argv) });
  const signals = watchSignals();
  try {
    return await Promise.race([execute(argv, output, signals), signals.interrupted]);
  } catch (error) {
    return report(error, output);
  } finally {
    signals.release();
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function execute(argv: readonly string[], output: Output, signals: SignalWatch): Promise<number> {
  const context = makeContext(output, signals);
  let exitCode = 0;
  const program = buildProgram({
    version: packageVersion(),
    output: {
      writeOut: (text) => output.write(text),
      writeErr: (text) => output.note(text.trimEnd()),
      // The message comes again inside the CommanderError, and is rendered like all others.
      outputError: () => undefined,
    },
    runAction: async (load, args, options) => {
      // A mistyped one must not show only when the waiting begins: by then the wish has been carried out.
      if ("timeout" in options && typeof options.timeout === "string") parseDuration(options.timeout);
      const command = await load();
      exitCode = (await command.run(context, args, options as never)) ?? 0;
    },
  });
  await program.parseAsync([...argv], { from: "user" });
  return exitCode;
}

function report(error: unknown, output: Output): number {
  output.stopProgress();
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Help shown because a command was incomplete: it is on stderr already, and says what to write.
    if (error.code === "commander.help" && !output.json) return 2;
  }
  const reviewed = error instanceof CommanderError ? usageError(error) : toHowdahError(error);
  if (output.json) output.write(`${JSON.stringify(errorDocument(reviewed, output.diagnostics), null, 2)}\n`);
  output.note(renderError(reviewed, output.errorStyle, debugging()));
  return reviewed.spec.exit;
}

function usageError(error: CommanderError): HowdahError {
  if (error.code === "commander.help") return new HowdahError("USAGE", "the command is incomplete", { cause: error });
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = rest
    .join(" ")
    .trim()
    .replace(/^\((.*)\)$/, "$1");
  return new HowdahError("USAGE", first, suggestion === "" ? { cause: error } : { cause: error, hint: suggestion });
}

function makeContext(output: Output, signals: SignalWatch): CommandContext {
  // Read at the first use: `--help` and `--version` work with a broken environment, too.
  let environment: Environment | undefined;
  const read = (): Environment => (environment ??= readEnvironment());
  const connect = async () => {
    const [{ createClient }, { requireOwnSocketFolder }] = await Promise.all([
      import("../api/client/index.js"),
      import("./server/answers.js"),
    ]);
    requireOwnSocketFolder(context.layout.apiSocket);
    return createClient({ socketPath: context.layout.apiSocket });
  };
  const context: CommandContext = {
    get environment() {
      return read();
    },
    get layout() {
      return layoutOf(read().home);
    },
    get cwd() {
      return currentFolder();
    },
    tree: commandTree,
    output,
    signal: signals.signal,
    client: async () => {
      const [{ answers }, { lastingClient }] = await Promise.all([
        import("./server/answers.js"),
        import("./server/lasting-client.js"),
      ]);
      const bringBack = async () => (await import("./server/launch.js")).ensureServer(context);
      if (!(await answers(context.layout.apiSocket))) await bringBack();
      return lastingClient(await connect(), bringBack);
    },
    quietClient: connect,
    releaseSignals: signals.release,
  };
  return context;
}

/** Asked for only by commands that need it: the others work in a folder that was removed meanwhile, too. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new HowdahError("FILE_NOT_FOUND", "the current folder does not exist any more", {
      cause: error,
      hint: "Change to another folder.",
    });
  }
}

/** Known before the words are parsed, since parsing may be what fails. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).includes("--json");
}

function debugging(): boolean {
  try {
    return readEnvironment().logLevel === "debug";
  } catch {
    // The environment itself is what was wrong, and has been reported.
    return false;
  }
}
