import { inheritedEnvironment } from "../../kernel/environment.js";
import { runInPlace } from "../child.js";
import type { CommandContext } from "../command.js";
import { currentProject } from "../project.js";
import { tellStopped } from "../tell-stopped.js";
import { usageError } from "../usage.js";

export async function run(
  context: CommandContext,
  [app = "", program, ...args]: readonly string[],
  options: { readonly project?: string },
): Promise<number> {
  if (program === undefined) throw usageError("no command is given", "Write it behind --: howdah run APP -- COMMAND.");
  const project = await currentProject(context, options);
  const client = await context.client();
  const [variables, services] = await Promise.all([
    client.projects.environment(project, app),
    client.services.list({ project }),
  ]);
  tellStopped(context, services);
  const env = { ...inheritedEnvironment(), ...variables };
  return await runInPlace(context, [program, ...args], env, "Check the command's name and the PATH.");
}
