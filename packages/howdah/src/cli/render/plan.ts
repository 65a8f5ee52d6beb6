import type { Change, StackPlan } from "../../spec/plan.js";
import { plainStyle, type Style, type Tone } from "./style.js";

const SIGNS = {
  create: ["+", "good", "create"],
  update: ["~", "warning", "change"],
  start: [">", "good", "start"],
  restart: ["~", "warning", "restart"],
  none: ["=", "dim", "keep"],
  orphan: ["?", "warning", "not in the file"],
} as const satisfies Record<Change["action"], readonly [string, Tone, string]>;

/** The differences, one block per service, and a last line that counts them. */
export function renderPlan(plan: StackPlan, style: Style = plainStyle): string {
  const lines = [`Project ${style("strong", plan.project)}`, ""];
  const width = Math.max(0, ...plan.changes.map((change) => change.service.length));
  for (const change of plan.changes) {
    const [sign, tone, verb] = SIGNS[change.action];
    lines.push(`  ${style(tone, `${sign} ${change.service.padEnd(width)}  ${verb}`)}`);
    for (const detail of change.details) lines.push(`      ${style("dim", detail)}`);
  }
  if (plan.changes.length === 0) lines.push("  no database in the file, and none of this project here");
  lines.push("", summary(plan));
  return `${lines.join("\n")}\n`;
}

function summary(plan: StackPlan): string {
  const counts = (["create", "update", "start", "restart"] as const)
    .map((action) => [SIGNS[action][2], plan.changes.filter((c) => c.action === action).length] as const)
    .filter(([, count]) => count > 0);
  if (counts.length === 0) return "Nothing to do.";
  return `${counts.map(([verb, count]) => `${count} to ${verb}`).join(", ")}.`;
}
