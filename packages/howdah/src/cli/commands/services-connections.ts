import type { WireConnection } from "../../api/client/types.js";
import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";
import { renderClients } from "../render/connections.js";

/** Wakes nothing: the gateway knows its clients without asking a server. */
export async function run(context: CommandContext, [name]: readonly string[], options: ServiceOptions): Promise<void> {
  const { output } = context;
  const client = await context.client();
  if (name === undefined && options.id === undefined) {
    const clients = await ofProject(options.project);
    output.result(clients, () => renderClients(clients, { withService: true, style: output.style }));
    return;
  }
  const { service } = await findService(context, client, name, options);
  const clients = await client.services.connections(service.id);
  output.result(clients, () => renderClients(clients, { withService: false, style: output.style }));

  async function ofProject(project: string | undefined): Promise<WireConnection[]> {
    const all = await client.connections();
    if (project === undefined) return all;
    const ids = new Set((await client.services.list({ project })).map(({ id }) => id));
    return all.filter(({ service_id: id }) => ids.has(id));
  }
}
