import type { CommandContext } from "../command.js";
import { parseParameters } from "../input/parameters.js";
import { renderConnections } from "../render/services.js";
import { tellReachable } from "../tell-reachable.js";
import { usageError } from "../usage.js";
import { type WaitOptions, waitForServices } from "../wait-for.js";

interface Options extends WaitOptions {
  readonly type: string;
  readonly name?: string;
  readonly set?: readonly string[];
  readonly project?: string;
}

export async function run(context: CommandContext, _args: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  if (options.name === undefined) throw usageError("the service has no name", "Give it one with -n NAME.");
  const parameters = parseParameters(options.set);
  const client = await context.client();
  const created = await client.services.create({
    name: options.name,
    service_type: options.type,
    parameters,
    ...(options.project === undefined ? {} : { project: options.project }),
  });
  const [service = created] = await waitForServices(context, client, [created], options);
  for (const notice of service.notices) output.warn(`${service.name}: ${notice}`);
  tellReachable(context, [service]);
  output.result(service, () => renderConnections([service], ({ slug }) => slug, output.style));
}
