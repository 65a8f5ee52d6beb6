import type { CommandContext } from "../command.js";
import { renderEvents } from "../render/events.js";
import { wholeNumber } from "../usage.js";

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: { readonly lines: string },
): Promise<void> {
  const limit = wholeNumber(options.lines, "number of events");
  const client = await context.client();
  const events = inOrder(await client.events({ limit }));
  const services = await client.services.list();
  const names = new Map(services.map((service) => [service.id, service.slug]));
  context.output.result(events, () => renderEvents(events, names, context.output.style));
}

/** The latest last, so that it stands above the prompt. */
export function inOrder<T extends { readonly id: number }>(events: readonly T[]): T[] {
  return [...events].sort((a, b) => a.id - b.id);
}
