import { join } from "node:path";
import { HowdahError } from "../../kernel/errors.js";
import { hold } from "./configuration.js";
import type { ServerPlace } from "./observe-server.js";

/** Removes sockets and their lock files that a killed server left: their process number may be somebody else's now,
 *  and PostgreSQL would respect them. Only to be called when no server runs. */
export function removeStaleSockets(spec: ServerPlace): void {
  using folder = hold(spec.paths.socket, spec.uid);
  for (const name of folder.names()) {
    if (!name.startsWith(".s.PGSQL.")) continue;
    try {
      folder.remove(name);
    } catch (error) {
      throw new HowdahError("HOME_UNUSABLE", `'${join(spec.paths.socket, name)}' is in the way and cannot be removed`, {
        hint: "Somebody put something else in the place of the server's socket; remove it.",
        cause: error,
      });
    }
  }
}
