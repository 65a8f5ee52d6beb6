import { checkConfigName } from "../../kernel/names.js";
import type { CommandContext } from "../command.js";
import { currentProject } from "../project.js";

export async function run(
  context: CommandContext,
  names: readonly string[],
  options: { readonly project?: string },
): Promise<void> {
  for (const name of names) checkConfigName(name);
  const project = await currentProject(context, options);
  const client = await context.client();
  for (const name of names) await client.configs.remove(project, name);
  context.output.result({ project, removed: names }, () =>
    names.map((name) => `Removed ${name} of project '${project}'.\n`).join(""),
  );
}
