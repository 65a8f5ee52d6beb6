/**
 * The rules of a splice, whatever its two ends are made of: who waits for whom, and who closes when. What breaks
 * without it: memory grows under a slow reader, a server's last words are lost, or half-closed sockets stay for ever.
 */
import type { Splice, SpliceStart } from "./contract.js";
import type { End } from "./end.js";

/** How long a client that has been sent everything may be silent without closing its half. */
const LINGER_MS = 5_000;

export function pump(client: End, server: End, start: SpliceStart): Splice {
  let bytesFromClient = 0;
  let bytesToClient = 0;
  let clientEnded = false;
  let clientFinished = false;
  /** The server takes nothing any more; what the client still sends is dropped. */
  let serverGone = false;
  let open = 2;
  let lingering: NodeJS.Timeout | undefined;
  let resolve: () => void;
  const done = new Promise<void>((settle) => {
    resolve = settle;
  });

  const destroy = () => {
    client.destroy();
    server.destroy();
  };
  const closed = () => {
    open -= 1;
    if (open > 0) return;
    clearTimeout(lingering);
    resolve();
  };
  const serverIsGone = () => {
    serverGone = true;
    // It may have been waiting for the server to take what came before.
    client.resume();
  };
  /** Behind the server's FIN the client may still send, as on any TCP connection, but a client that does neither that
   *  nor close must not hold its socket for ever. To close at once would be wrong: with bytes of the client unread the
   *  kernel would reset the connection, and the server's last words would be lost with it. */
  const linger = () => {
    const seen = bytesFromClient;
    lingering = setTimeout(() => (serverGone || seen === bytesFromClient ? destroy() : linger()), LINGER_MS);
  };
  const closeWhenBothHalvesAre = () => {
    if (!clientFinished) return;
    if (clientEnded) client.destroy();
    else if (lingering === undefined) linger();
  };

  const toServer = (bytes: Buffer) => {
    bytesFromClient += bytes.length;
    if (!serverGone && !server.write(bytes)) client.pause();
  };
  const toClient = (bytes: Buffer) => {
    bytesToClient += bytes.length;
    if (!client.write(bytes)) server.pause();
  };

  // The first bytes go before the ends begin to tell what else they have read.
  const serverTakes = start.toServer === null || server.write(start.toServer);
  const clientTakes = start.toClient === null || client.write(start.toClient);
  bytesFromClient += start.toServer?.length ?? 0;
  bytesToClient += start.toClient?.length ?? 0;

  client.start({
    chunk: toServer,
    drained: () => server.resume(),
    ended: () => {
      clientEnded = true;
      server.end();
      closeWhenBothHalvesAre();
    },
    finished: () => {
      clientFinished = true;
      closeWhenBothHalvesAre();
    },
    // Nobody is there to be told anything.
    broken: () => client.destroy(),
    closed: () => {
      server.destroy();
      closed();
    },
  });
  server.start({
    chunk: toClient,
    drained: () => client.resume(),
    ended: () => client.end(),
    finished: () => undefined,
    // What it said before it stopped listening is still to be read, its end comes behind that.
    broken: serverIsGone,
    closed: () => {
      serverIsGone();
      client.end();
      closed();
    },
  });
  if (!serverTakes) client.pause();
  if (!clientTakes) server.pause();

  return {
    done,
    get bytesFromClient() {
      return bytesFromClient;
    },
    get bytesToClient() {
      return bytesToClient;
    },
    destroy,
  };
}
