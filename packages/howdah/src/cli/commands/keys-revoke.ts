import { HowdahError } from "../../kernel/errors.js";
import type { CommandContext } from "../command.js";

/** By number or by name; a name that several keys bear is refused rather than guessed. */
export async function run(context: CommandContext, [wanted = ""]: readonly string[]): Promise<void> {
  const client = await context.client();
  const keys = await client.keys.list();
  const byNumber = keys.filter((key) => String(key.id) === wanted);
  const found = byNumber.length > 0 ? byNumber : keys.filter((key) => key.name === wanted);
  const [key, another] = found;
  if (key === undefined) throw new HowdahError("API_KEY_NOT_FOUND", `API key '${wanted}' does not exist`);
  if (another !== undefined) {
    throw new HowdahError("USAGE", `${found.length} API keys are named '${wanted}'`, {
      hint: "Give the key's number, as 'howdah keys list' shows it.",
    });
  }
  await client.keys.remove(key.id);
  context.output.result({ id: key.id, name: key.name, revoked: true }, () => `Revoked key '${key.name}'.\n`);
}
