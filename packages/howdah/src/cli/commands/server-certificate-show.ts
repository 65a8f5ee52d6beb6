import type { CommandContext } from "../command.js";
import { tellCertificate } from "../tell-certificate.js";

export async function run(context: CommandContext): Promise<void> {
  const client = await context.client();
  tellCertificate(context.output, await client.certificate());
}
