import { usageError } from "../usage.js";

export interface ConfigSetOptions {
  readonly random?: boolean;
  readonly env?: boolean;
  readonly envFile?: string;
}

/** Where the values come from; commander has already refused two of the options at once. */
export type ConfigSource =
  | { readonly kind: "pairs"; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: "random" | "prompt" | "stdin" | "environment"; readonly name: string }
  | { readonly kind: "file"; readonly name: string; readonly file: string }
  | { readonly kind: "env-file"; readonly file: string };

/** Tells the forms of `config set` apart by their words. Throws USAGE, never showing a value. */
export function parseConfigSet(words: readonly string[], options: ConfigSetOptions): ConfigSource {
  const [first, second, ...more] = words;
  if (options.envFile !== undefined) {
    if (first !== undefined) throw usageError("--env-file takes no names", "The names stand in the file.");
    return { kind: "env-file", file: options.envFile };
  }
  if (first === undefined)
    throw usageError("no config is named", "Write NAME=VALUE, or NAME to be asked for its value.");
  const option = options.random === true ? "--random" : options.env === true ? "--env" : undefined;
  if (option !== undefined) {
    if (first.includes("=")) throw usageError(`${option} and a value exclude each other`, "Give the name alone.");
    if (second !== undefined) throw usageError(`${option} takes one name`, "Run the command once for each name.");
    return { kind: option === "--random" ? "random" : "environment", name: first };
  }
  if (first.includes("=")) return { kind: "pairs", values: parsePairs(words) };
  if (second === undefined) return { kind: "prompt", name: first };
  if (more.length > 0) throw usageError("too many words", "Write NAME=VALUE pairs, or NAME FILE, or NAME -.");
  return second === "-" ? { kind: "stdin", name: first } : { kind: "file", name: first, file: second };
}

function parsePairs(words: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf("=");
    if (at === -1) throw usageError("names with and without a value are mixed", "Write every one as NAME=VALUE.");
    const name = word.slice(0, at);
    if (Object.hasOwn(values, name)) throw usageError(`'${name}' is given twice`);
    values[name] = word.slice(at + 1);
  }
  return values;
}
