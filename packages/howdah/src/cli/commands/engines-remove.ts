import type { CommandContext } from "../command.js";
import { wholeNumber } from "../usage.js";

export async function run(context: CommandContext, [text = ""]: readonly string[]): Promise<void> {
  const major = wholeNumber(text, "major version");
  const client = await context.client();
  await client.engines.remove(major);
  context.output.result({ major, removed: true }, () => `PostgreSQL ${major} is removed.\n`);
}
