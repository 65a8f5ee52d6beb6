import type { CommandContext } from "../command.js";
import { currentProject } from "../project.js";
import { humanDate } from "../render/dates.js";
import { renderTable } from "../render/table.js";

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: { readonly project?: string },
): Promise<void> {
  const { output } = context;
  const project = await currentProject(context, options);
  const client = await context.client();
  const configs = await client.configs.list(project);
  output.result({ project, configs }, () => {
    if (configs.length === 0) return `Project '${project}' has no configs.\n`;
    const columns = [
      { title: "NAME", value: (config: { name: string }) => config.name },
      { title: "CHANGED", value: (config: { updated_at: string }) => humanDate(config.updated_at) },
    ];
    return renderTable(configs, columns, output.style);
  });
}
