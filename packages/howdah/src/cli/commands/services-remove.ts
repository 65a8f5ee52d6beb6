import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";
import { confirmByName } from "../input/ask.js";
import { type WaitOptions, waitUntilGone } from "../wait-for.js";

type Options = ServiceOptions & WaitOptions & { readonly yes?: boolean; readonly force?: boolean };

export async function run(context: CommandContext, [name]: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  const client = await context.client();
  const { service } = await findService(context, client, name, options);
  await confirmByName(output, {
    consequence: `this removes service '${service.name}' of project '${service.project}' with its data`,
    name: service.name,
    yes: options.yes === true || options.force === true,
  });
  await client.services.remove(service.id);
  await waitUntilGone(context, client, [service], options);
  const restore = `howdah services restore-removed --id ${service.id}`;
  output.result(
    { id: service.id, name: service.name, project: service.project, removed: true, restore_with: restore },
    () => `Removed '${service.name}'. It stays in the trash for 7 days; to get it back:\n  ${restore}\n`,
  );
}
