/**
 * The splice by way of Node's public streams alone: right everywhere, and the only way for TLS clients, whose bytes
 * pass through a cipher in the socket's own stream.
 */
import type { Socket } from "node:net";
import type { Splice, SpliceStart } from "./contract.js";

/** How long a client may take to close its half after the server has closed: enough for the last bytes to be read. */
const LINGER_MS = 5_000;

/** Copies both ways until both sockets are closed. See `splice`. */
export function spliceStreams(client: Socket, server: Socket, start: SpliceStart): Splice {
  let bytesFromClient = 0;
  let bytesToClient = 0;
  let lingering: NodeJS.Timeout | undefined;

  // Half-open, or Node would end the other direction itself as soon as one has ended.
  client.allowHalfOpen = true;
  server.allowHalfOpen = true;
  client.setNoDelay(true);

  const destroy = () => {
    client.destroy();
    server.destroy();
  };

  // Without the server nothing that the client sends has a meaning any more, but closing with unread bytes would reset
  // the connection and take the server's last words with it: read on and drop, for a while.
  const farewell = () => {
    if (client.destroyed) return;
    client.removeListener("data", fromClient);
    client.resume();
    if (!client.writableEnded) {
      client.once("finish", () => {
        lingering = setTimeout(destroy, LINGER_MS);
        if (client.readableEnded) destroy();
      });
      client.end();
    }
  };

  const fromClient = (chunk: Buffer) => {
    bytesFromClient += chunk.length;
    if (server.writable && !server.write(chunk)) client.pause();
  };
  const fromServer = (chunk: Buffer) => {
    bytesToClient += chunk.length;
    if (client.writable && !client.write(chunk)) server.pause();
  };

  const done = new Promise<void>((resolve) => {
    let open = 2;
    const closed = () => {
      open -= 1;
      if (open > 0) return;
      clearTimeout(lingering);
      resolve();
    };
    for (const socket of [client, server]) {
      if (socket.closed) process.nextTick(closed);
      else socket.once("close", closed);
    }
  });

  // A reset is the end of a connection like any other; 'close' follows and does what is to be done.
  client.on("error", () => undefined);
  server.on("error", () => undefined);
  client.once("close", () => server.destroy());
  server.once("close", farewell);

  client.on("data", fromClient);
  server.on("data", fromServer);
  server.on("drain", () => client.resume());
  client.on("drain", () => server.resume());
  const clientEnded = () => {
    server.end();
    if (client.writableFinished) destroy();
  };
  const serverEnded = () => {
    farewell();
    server.destroy();
  };
  client.once("end", clientEnded);
  server.once("end", serverEnded);

  if (start.toServer !== null) fromClient(start.toServer);
  if (start.toClient !== null) fromServer(start.toClient);
  // What happened before the splice is not told again.
  if (client.destroyed) server.destroy();
  else if (server.destroyed) farewell();
  if (client.readableEnded) clientEnded();
  if (server.readableEnded) serverEnded();
  // Whoever was held back by its first bytes is resumed by the other's 'drain'.
  if (!server.writableNeedDrain) client.resume();
  if (!client.writableNeedDrain) server.resume();

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
