import type { WireService } from "../api/client/types.js";
import type { CommandContext } from "./command.js";

/** Says on stderr which of the services somebody stopped: whoever is about to connect would only see a refusal. */
export function tellStopped(context: CommandContext, services: readonly WireService[]): void {
  for (const { name, slug, desired } of services) {
    if (desired !== "stopped") continue;
    context.output.warn(`service '${name}' is stopped; start it with 'howdah services start ${slug}'`);
  }
}
