import type { HowdahClient, WireService } from "../../api/client/types.js";
import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";
import { type WaitOptions, waitForServices } from "../wait-for.js";

type Power = (context: CommandContext, args: readonly string[], options: ServiceOptions & WaitOptions) => Promise<void>;

export const start: Power = power((client, id) => client.services.start(id));
export const stop: Power = power((client, id) => client.services.stop(id));
export const restart: Power = power((client, id) => client.services.restart(id));

function power(ask: (client: HowdahClient, id: number) => Promise<WireService>): Power {
  return async (context, [name], options) => {
    const client = await context.client();
    const found = await findService(context, client, name, options);
    const asked = await ask(client, found.service.id);
    const [last = asked] = await waitForServices(context, client, [asked], options);
    for (const notice of last.notices) context.output.warn(`${last.name}: ${notice}`);
    context.output.result(last, () => `'${last.name}' is ${last.status}.\n`);
  };
}
