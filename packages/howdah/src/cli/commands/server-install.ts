import type { CommandContext } from "../command.js";
import { installUnit, planUnit } from "../server/install.js";

interface Options {
  readonly user?: boolean;
  readonly print?: boolean;
}

export async function run(context: CommandContext, _args: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  const plan = planUnit(context.environment, { user: options.user === true });
  if (options.print === true) {
    output.result({ path: plan.unit.path, unit: plan.text }, () => plan.text);
    return;
  }
  const done = await installUnit(context, plan);
  output.result({ name: plan.unit.name, path: plan.unit.path, done }, () => done.map((line) => `${line}\n`).join(""));
}
