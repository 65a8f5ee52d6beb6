import type { CommandSpec, Completion, OptionSpec } from "../command.js";

/** One command as completion scripts need it. Paths are canonical names joined by `/`, the root's is empty. */
export interface CompletionNode {
  readonly path: string;
  /** The words behind the parent's path that lead here: the name and its aliases. */
  readonly words: readonly string[];
  readonly parent: string;
  readonly children: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly CompletionOption[];
  /** What may stand at each position; the last one repeats when `variadic`. */
  readonly positions: readonly (Completion | undefined)[];
  readonly variadic: boolean;
}

export interface CompletionOption {
  readonly short: string | undefined;
  readonly long: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly complete: Completion | undefined;
}

const EVERYWHERE: readonly OptionSpec[] = [
  { flags: "--json", description: "print one JSON document" },
  { flags: "-h, --help", description: "show help" },
];
const AT_THE_ROOT: readonly OptionSpec[] = [{ flags: "-V, --version", description: "print the version" }];

/** The root first, then every command in the order of the help text. */
export function completionNodes(tree: readonly CommandSpec[]): CompletionNode[] {
  const root: CommandSpec = { name: "", summary: "", commands: tree, options: AT_THE_ROOT };
  return nodesOf(root, "", "");
}

function nodesOf(spec: CommandSpec, path: string, parent: string): CompletionNode[] {
  const children = (spec.commands ?? []).filter((child) => child.hidden !== true);
  const positions = (spec.arguments ?? []).map((argument) => argument.complete);
  const node: CompletionNode = {
    path,
    words: [spec.name, ...(spec.aliases ?? [])],
    parent,
    children: children.map(({ name, summary }) => ({ name, summary })),
    options: [...(spec.options ?? []), ...EVERYWHERE].map(optionOf),
    positions,
    variadic: spec.arguments?.at(-1)?.name.includes("...") === true,
  };
  return [node, ...children.flatMap((child) => nodesOf(child, `${path}/${child.name}`, path))];
}

function optionOf(spec: OptionSpec): CompletionOption {
  const [, short, long = "", value] = /^(?:(-\w), )?(--[\w-]+)(?: (<.*>))?$/.exec(spec.flags) ?? [];
  return {
    short,
    long,
    description: spec.description,
    takesValue: value !== undefined,
    complete: spec.complete ?? spec.choices,
  };
}

/** The option's spellings. */
export function spellings(option: CompletionOption): string[] {
  return option.short === undefined ? [option.long] : [option.short, option.long];
}
