import type { CommandContext } from "../command.js";
import { renderPlan } from "../render/plan.js";
import { type FileOptions, loadStack } from "./load-stack.js";

export async function run(context: CommandContext, _args: readonly string[], options: FileOptions): Promise<void> {
  const { output } = context;
  const { stack, file } = await loadStack(context, options);
  const client = await context.client();
  const plan = await client.stacks.plan(stack);
  for (const notice of plan.notices) output.note(`${output.errorStyle("accent", "notice:")} ${notice}`);
  output.result({ file, plan, diagnostics: output.diagnostics }, () => renderPlan(plan, output.style));
}
