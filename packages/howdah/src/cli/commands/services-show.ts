import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";
import { renderServiceDetails, serviceDocument } from "../render/services.js";

type Options = ServiceOptions & { readonly reveal?: boolean };

export async function run(context: CommandContext, [name]: readonly string[], options: Options): Promise<void> {
  const client = await context.client();
  const details = await findService(context, client, name, options, options.reveal === true);
  context.output.result(serviceDocument(details), () => renderServiceDetails(details, context.output.style));
}
