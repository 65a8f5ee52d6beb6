import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";
import { parseParameters } from "../input/parameters.js";
import { tellReachable } from "../tell-reachable.js";
import { usageError } from "../usage.js";
import { type WaitOptions, waitForServices } from "../wait-for.js";

type Options = ServiceOptions & WaitOptions & { readonly set?: readonly string[] };

/** What changes who can reach a service. */
const REACH = ["listen", "allow", "port", "ssl", "ssl_mode"];

export async function run(context: CommandContext, [name]: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  const parameters = parseParameters(options.set);
  if (Object.keys(parameters).length === 0) throw usageError("nothing to change", "Name it with -s key=value.");
  const client = await context.client();
  const { service } = await findService(context, client, name, options);
  const updated = await client.services.update(service.id, { parameters });
  const [last = updated] = await waitForServices(context, client, [updated], options);
  for (const notice of last.notices) output.warn(`${last.name}: ${notice}`);
  if (Object.keys(parameters).some((name) => REACH.includes(name))) tellReachable(context, [last]);
  if (last.origin === "compose") {
    output.note(`The next 'howdah up' of project '${last.project}' makes it what its compose file says.`);
  }
  output.result(last, () => `Updated '${last.name}' (${Object.keys(parameters).join(", ")}); it is ${last.status}.\n`);
}
