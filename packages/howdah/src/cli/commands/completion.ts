import type { CommandContext } from "../command.js";
import { completionScript, isShell } from "../completion/index.js";
import { usageError } from "../usage.js";

export async function run(context: CommandContext, [shell = ""]: readonly string[]): Promise<void> {
  if (!isShell(shell)) throw usageError(`'${shell}' is not a shell we know`, "Choose bash, zsh or fish.");
  const script = completionScript(shell, context.tree);
  context.output.result({ shell, script }, () => script);
}
