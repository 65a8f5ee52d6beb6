import type { CommandContext } from "../command.js";
import { renderPlan } from "../render/plan.js";
import { atItsPlace, type FileOptions, loadStack } from "./load-stack.js";

export async function run(context: CommandContext, _args: readonly string[], options: FileOptions): Promise<void> {
  const { output } = context;
  const loaded = await loadStack(context, options);
  const { stack, file } = loaded;
  const client = await context.client();
  const plan = await client.stacks.plan(stack).catch(atItsPlace(loaded));
  for (const notice of plan.notices) output.note(`${output.errorStyle("accent", "notice:")} ${notice}`);
  output.result({ file, plan, diagnostics: output.diagnostics }, () => renderPlan(plan, output.style));
}
