/** The data path: after login, bytes are copied between a client and its server until one of them hangs up. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Splice, SpliceStart } from "./contract.js";
import { StreamEnd } from "./end.js";
import { pump } from "./pump.js";
import { takeOver } from "./raw-end.js";

export type { Splice, SpliceStart } from "./contract.js";

/**
 * Copies bytes both ways between `client` and `server`, both connected, handed over paused and from now on owned by the
 * splice, with whatever their stream buffers still hold: remove your own listeners, and touch them no more except to
 * `destroy`. Memory is bounded: whoever reads slowly stops the other from being read. A FIN is passed on when
 * everything before it is; a reset ends the other side, and the server's last bytes still reach the client. No 'error'
 * of the sockets is left unhandled. `remoteAddress` and the like of the sockets may be gone afterwards: ask before.
 */
export function splice(client: Socket | TLSSocket, server: Socket, start: SpliceStart): Splice {
  client.setNoDelay(true);
  return pump(takeOver(client) ?? new StreamEnd(client), takeOver(server) ?? new StreamEnd(server), start);
}

/** `splice` as it is on a Node whose insides are unknown. For the tests, which run everything both ways. */
export function spliceByStreams(client: Socket | TLSSocket, server: Socket, start: SpliceStart): Splice {
  client.setNoDelay(true);
  return pump(new StreamEnd(client), new StreamEnd(server), start);
}
