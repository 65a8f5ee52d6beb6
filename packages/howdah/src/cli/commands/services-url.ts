import { HowdahError } from "../../kernel/errors.js";
import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";
import { tellStopped } from "../tell-stopped.js";

/** Prints the password as well: to be able to connect is what it is asked for. */
export async function run(context: CommandContext, [name]: readonly string[], options: ServiceOptions): Promise<void> {
  const client = await context.client();
  const { service } = await findService(context, client, name, options, true);
  const url = service.connection_info;
  if (url === null) throw new HowdahError("SERVICE_BUSY", `service '${service.name}' has no URL yet`);
  tellStopped(context, [service]);
  context.output.result({ url }, () => `${url}\n`);
}
