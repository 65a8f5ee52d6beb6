import type { HowdahClient } from "../../api/client/types.js";
import { isHowdahError } from "../../kernel/errors.js";
import type { CommandContext } from "../command.js";

/** Called at each press of the tab key: whatever is wrong, it offers nothing and stays silent. */
export async function run(context: CommandContext, [kind = ""]: readonly string[]): Promise<void> {
  try {
    const names = await namesOf(await context.quietClient(), kind);
    context.output.write([...new Set(names)].map((name) => `${name}\n`).join(""));
  } catch (error) {
    if (!isHowdahError(error)) throw error;
  }
}

async function namesOf(client: HowdahClient, kind: string): Promise<string[]> {
  switch (kind) {
    case "services":
      return (await client.services.list()).map((service) => service.slug);
    case "projects":
      return await client.projects.list();
    case "engines":
      return (await client.engines.list()).map((engine) => String(engine.major));
    case "trash":
      return (await client.trash.list()).map((entry) => entry.name);
    default:
      return [];
  }
}
