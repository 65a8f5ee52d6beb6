import type { CommandContext } from "../command.js";
import { planUnit, uninstallUnit } from "../server/install.js";

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: { readonly user?: boolean },
): Promise<void> {
  const { unit } = planUnit(context.environment, { user: options.user === true });
  const done = uninstallUnit(unit);
  context.output.result({ name: unit.name, path: unit.path, done }, () => done.map((line) => `${line}\n`).join(""));
}
