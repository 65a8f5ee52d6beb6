import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";
import { renderEvents } from "../render/events.js";
import { wholeNumber } from "../usage.js";
import { inOrder, run as runAll } from "./events.js";

type Options = ServiceOptions & { readonly lines: string };

export async function run(context: CommandContext, args: readonly string[], options: Options): Promise<void> {
  const [name] = args;
  if (name === undefined && options.id === undefined) return await runAll(context, args, options);
  const limit = wholeNumber(options.lines, "number of events");
  const client = await context.client();
  const { service } = await findService(context, client, name, options);
  const events = inOrder(await client.events({ serviceId: service.id, limit }));
  context.output.result(events, () =>
    renderEvents(events, new Map([[service.id, service.slug]]), context.output.style),
  );
}
