import type { CommandContext } from "../command.js";
import { tellCertificate } from "../tell-certificate.js";

export async function run(context: CommandContext): Promise<void> {
  const client = await context.client();
  tellCertificate(context.output, await client.resetCertificate());
  context.output.note(
    "Connections from now on get it; 'howdah server ca' prints the authority that clients check it with.",
  );
}
