import { processesNamed } from "../../runtime/process/index.js";
import { isOurs, type ServerPlace } from "./observe-server.js";

/** Ids of the servers that no process works for, by one look at all processes instead of one for each of a thousand. */
export function placesWithoutProcesses(places: readonly (ServerPlace & { readonly id: number })[]): number[] {
  const running = processesNamed("postgres");
  return places.filter((place) => !running.some((info) => isOurs(info, place))).map(({ id }) => id);
}
