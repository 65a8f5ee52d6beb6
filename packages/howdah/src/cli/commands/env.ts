import type { CommandContext } from "../command.js";
import { type EnvironmentFormat, formatEnvironment, isShellName } from "../environment-formats.js";
import { currentProject } from "../project.js";

interface Options {
  readonly project?: string;
  readonly format: EnvironmentFormat;
}

export async function run(context: CommandContext, [name = ""]: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  const project = await currentProject(context, options);
  const client = await context.client();
  const variables = await client.projects.environment(project, name);
  if (!output.json && options.format === "shell") {
    for (const odd of Object.keys(variables).filter((variable) => !isShellName(variable))) {
      output.warn(`a shell cannot export '${odd}'; it is left out`);
    }
  }
  output.result(variables, () => formatEnvironment(variables, options.format));
}
