import type { CommandSpec } from "../command.js";
import { bashScript } from "./bash.js";
import { fishScript } from "./fish.js";
import { completionNodes } from "./model.js";
import { zshScript } from "./zsh.js";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
export type Shell = keyof typeof SCRIPTS;

export function isShell(name: string): name is Shell {
  return Object.hasOwn(SCRIPTS, name);
}

/** Generated from the command tree, so a new command or option is completed without anybody thinking of it. */
export function completionScript(shell: Shell, tree: readonly CommandSpec[]): string {
  return SCRIPTS[shell](completionNodes(tree));
}
