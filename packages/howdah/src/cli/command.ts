import type { HowdahClient } from "../api/client/types.js";
import type { Environment } from "../kernel/environment.js";
import type { Layout } from "../runtime/layout.js";
import type { Output } from "./render/output.js";

/** What the shell can offer for an argument: names that the server knows, files, or a fixed set. */
export type Completion = "services" | "projects" | "engines" | "trash" | "files" | readonly string[];

export interface ArgumentSpec {
  /** In commander's notation: `<name>`, `[name]`, `[values...]`. */
  readonly name: string;
  readonly description: string;
  readonly complete?: Completion;
}

export interface OptionSpec {
  /** In commander's notation: `-f, --file <file>`, `--no-wait`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  /** Only these values. */
  readonly choices?: readonly string[];
  /** May be given several times; the values come as an array. */
  readonly repeatable?: boolean;
  /** Names (as in the options object) of options that may not stand beside it. */
  readonly conflicts?: readonly string[];
  readonly complete?: Completion;
}

/**
 * One command, light enough to be built on every start: what it does is imported only when it is called.
 * `args` are the words that are not options, in order; a missing optional one is simply not there.
 * The promise is the exit code, where it is not 0.
 */
export interface CommandSpec {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Shown below the options: examples and what a user should know. */
  readonly details?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly hidden?: boolean;
  readonly load?: () => Promise<CommandModule>;
  readonly commands?: readonly CommandSpec[];
}

export interface CommandModule {
  // `never` lets each module name the options that it declares; commander's result is not typed either.
  run(context: CommandContext, args: readonly string[], options: never): Promise<number | undefined> | Promise<void>;
}

/** What a command gets. Nothing here is made before it is asked for. */
export interface CommandContext {
  readonly environment: Environment;
  readonly layout: Layout;
  readonly cwd: string;
  readonly output: Output;
  /** Every command there is, for the one that writes completion scripts. */
  readonly tree: readonly CommandSpec[];
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** A client of this home's server; starts the server in the background when none answers. */
  client(): Promise<HowdahClient>;
  /** A client that starts nothing: its calls reject with SERVER_UNREACHABLE when no server answers. */
  quietClient(): Promise<HowdahClient>;
  /** From now on signals are the business of the command (a child process, a server in the foreground). */
  releaseSignals(): void;
}
