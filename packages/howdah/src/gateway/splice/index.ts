/** The data path: after login, bytes are copied between a client and its server until one of them hangs up. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Splice, SpliceStart } from "./contract.js";
import { spliceStreams } from "./streams.js";

export type { Splice, SpliceStart } from "./contract.js";

/**
 * Copies bytes both ways between `client` and `server`, both handed over paused and from now on owned by the splice,
 * with whatever their stream buffers still hold. Memory is bounded: whoever reads slowly stops the other from being
 * read. A FIN is passed on when everything before it is; a reset ends the other side, and the server's last bytes still
 * reach the client. No 'error' of the sockets is left unhandled.
 */
export function splice(client: Socket | TLSSocket, server: Socket, start: SpliceStart): Splice {
  return spliceStreams(client, server, start);
}
