import { hold } from "./configuration.js";
import type { ServerPlace } from "./observe-server.js";

/** Removes sockets and their lock files that a killed server left: their process number may be somebody else's now,
 *  and PostgreSQL would respect them. Only to be called when no server runs. */
export function removeStaleSockets(spec: ServerPlace): void {
  using folder = hold(spec.paths.socket, spec.uid);
  for (const name of folder.names()) if (name.startsWith(".s.PGSQL.")) folder.remove(name);
}
