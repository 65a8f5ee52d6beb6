import type { CommandContext } from "../command.js";
import { confirmByName } from "../input/ask.js";
import { currentProject } from "../project.js";
import { type WaitOptions, waitForServices, waitUntilGone } from "../wait-for.js";
import type { FileOptions } from "./load-stack.js";

type Options = FileOptions & WaitOptions & { readonly volumes?: boolean; readonly yes?: boolean };

export async function run(context: CommandContext, _args: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  const project = await currentProject(context, options);
  const volumes = options.volumes === true;
  if (volumes) {
    const consequence = `this removes every database of project '${project}' with its data`;
    await confirmByName(output, { consequence, name: project, yes: options.yes === true });
  }
  const client = await context.client();
  const asked = await client.stacks.down(project, { volumes });
  let services = asked;
  if (volumes) await waitUntilGone(context, client, asked, options);
  else services = await waitForServices(context, client, asked, options);
  const names = asked.map((service) => service.name);
  output.result({ project, volumes, services }, () => {
    if (names.length === 0) return `Project '${project}' has no databases.\n`;
    if (!volumes) return `Stopped: ${names.join(", ")}. The data stays; 'howdah up' starts them again.\n`;
    return `Removed: ${names.join(", ")}. Kept in the trash for 7 days; 'howdah services restore-removed' brings them back.\n`;
  });
}
