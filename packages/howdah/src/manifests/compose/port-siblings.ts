/**
 * `DB_HOST: database` is half an address: the port that goes with it stands in `DB_PORT`, or nowhere, because inside a
 * compose network 5432 goes without saying. Howdah's endpoint has a port of its own, so the neighbour is set as well.
 */
import type { Place } from "../../kernel/errors.js";
import type { Context } from "./context.js";
import { type ManagedHost, rewritePort } from "./host-rewriting.js";
import { type Pieces, servicePiece, staticText } from "./pieces.js";

/** The word that is replaced by PORT in the case it is written in: POSTGRES_HOST, PGHOST, dbHost, db_hostname. */
const HOST_WORD = /(host[_-]?name|host|server|address|addr|endpoint)$/i;

export interface HostVariable {
  readonly key: string;
  readonly place: Place;
  readonly host: ManagedHost;
}

/** Changes and adds ports beside hosts that were rewritten; `values` is edited in place. */
export function rewritePortSiblings(
  context: Context,
  app: string,
  values: Map<string, Pieces>,
  hosts: readonly HostVariable[],
): void {
  for (const { key, place, host } of hosts) {
    const sibling = portKeyFor(key);
    // PORT alone is where an app itself listens: it may be there, but it is not ours to add.
    if (sibling === undefined || (sibling.toLowerCase() === "port" && !values.has(sibling))) {
      const message = `'${key}' of '${app}' takes the host of '${host.service}', but nothing its port`;
      const hint = `Give the app a port as well, in a variable such as ${host.service.toUpperCase()}_PORT: "5432" beside ${host.service.toUpperCase()}_HOST.`;
      context.report.warning("port-missing", message, place, hint);
      continue;
    }
    const current = values.get(sibling);
    if (current === undefined) {
      values.set(sibling, [servicePiece(host.service, "port")]);
      const message = `'${sibling}' is added to the environment of '${app}', because '${key}' is the host of '${host.service}'`;
      context.report.notice("port-added", message, place, `Write '${sibling}: "5432"' to say so yourself.`);
      continue;
    }
    const rewritten = rewritePort(current, host);
    const text = staticText(current);
    if (rewritten !== null) values.set(sibling, rewritten);
    else if (text !== undefined) {
      const message = `'${sibling}' of '${app}' is no port that '${host.service}' has in this file`;
      context.report.warning(
        "wrong-port",
        message,
        place,
        `Write ${host.ports[0] ?? 5432}; the real port is filled in.`,
      );
    }
  }
}

export function portKeyFor(hostKey: string): string | undefined {
  const word = HOST_WORD.exec(hostKey)?.[0];
  if (word === undefined) return undefined;
  const prefix = hostKey.slice(0, -word.length);
  if (word === word.toUpperCase()) return `${prefix}PORT`;
  return prefix + (/^[A-Z]/.test(word) ? "Port" : "port");
}
