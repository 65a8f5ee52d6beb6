import type { CommandContext } from "./context.js";

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

export const PROJECT: OptionSpec = {
  flags: "-p, --project <project>",
  description: "project to work on (default: the compose file's name here, else the folder's)",
  complete: "projects",
};

export const NARROW: OptionSpec = {
  flags: "-p, --project <project>",
  description: "look for the name in this project only",
  complete: "projects",
};

export const BY_ID: OptionSpec = { flags: "--id <number>", description: "the service's number, instead of its name" };

export const FILE: OptionSpec = {
  flags: "-f, --file <file>",
  description: "compose file (default: compose.yaml and its other names, here or above)",
  complete: "files",
};

export const NO_WAIT: OptionSpec = {
  flags: "--no-wait",
  description: "return as soon as the server has accepted the request",
};

export const YES: OptionSpec = { flags: "-y, --yes", description: "do not ask" };

export function timeout(fallback: string): OptionSpec {
  return { flags: "--timeout <duration>", description: "how long to wait, such as 90s or 5m", default: fallback };
}

export const SERVICE: ArgumentSpec = {
  name: "[name]",
  description: "name, project/name or slug of the service",
  complete: "services",
};
