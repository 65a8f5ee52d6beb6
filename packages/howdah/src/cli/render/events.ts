import type { WireEvent } from "../../api/client/types.js";
import { humanDate } from "./dates.js";
import { plainStyle, type Style } from "./style.js";
import { renderTable } from "./table.js";

/** `names` maps numbers to what a service is called; one that was removed keeps its number only. */
export function renderEvents(
  events: readonly WireEvent[],
  names: ReadonlyMap<number, string>,
  style: Style = plainStyle,
): string {
  if (events.length === 0) return "Nothing happened yet.\n";
  const serviceOf = (id: number | null): string => (id === null ? "-" : (names.get(id) ?? `#${id}`));
  return renderTable(
    events,
    [
      { title: "AT", value: (event) => humanDate(event.at), tone: () => "dim" },
      { title: "SERVICE", value: (event) => serviceOf(event.service_id) },
      { title: "EVENT", value: (event) => event.kind },
      { title: "MESSAGE", value: (event) => event.message },
    ],
    style,
  );
}
