/** The two doors of the API. Both lead to the same routes; which one a request came in by is known
 *  here and nowhere else. */

import { unlink } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { errnoOf, HowdahError } from "../kernel/errors.js";
import { markTrusted } from "./transport-guard.js";

const LOOPBACK = "127.0.0.1";

/**
 * Listens on the Unix socket, which only this process's user may open: the file gets mode 0600 as it is made, there
 * is no moment in which others could connect. A socket that a dead process left behind is replaced.
 * Throws SERVER_RUNNING when a live one answers there.
 */
export async function listenOnSocket(handler: RequestListener, path: string): Promise<Server> {
  const server = createServer(handler);
  server.on("connection", (connection: Socket) => markTrusted(connection));
  if (await answers(path)) throw new HowdahError("SERVER_RUNNING", `another server answers on '${path}'`);
  await unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== "ENOENT") throw error;
  });
  await listening(server, () => {
    // `listen` on a path binds before it returns, so no other file is made under this mask.
    const before = process.umask(0o177);
    try {
      server.listen({ path });
    } finally {
      process.umask(before);
    }
  });
  return server;
}

/**
 * Listens on 127.0.0.1. A default port that is taken gives way to any free one, so that two installations live side
 * by side; one that the user chose does not: SERVER_PORT_TAKEN.
 */
export async function listenOnLoopback(
  handler: RequestListener,
  port: number,
  options: { explicit: boolean },
): Promise<Server> {
  const server = createServer(handler);
  try {
    await listening(server, () => server.listen({ host: LOOPBACK, port, exclusive: true }));
  } catch (cause) {
    if (errnoOf(cause) !== "EADDRINUSE" && errnoOf(cause) !== "EACCES") throw cause;
    if (options.explicit) {
      const why = errnoOf(cause) === "EACCES" ? "may not be used by this user" : "is taken";
      throw new HowdahError("SERVER_PORT_TAKEN", `port ${port} on ${LOOPBACK} ${why}`, { cause, fields: { port } });
    }
    await listening(server, () => server.listen({ host: LOOPBACK, port: 0, exclusive: true }));
  }
  return server;
}

export function urlOf(server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `http://${LOOPBACK}:${port}`;
}

/** Accepts nothing more, at once; resolves when what is under way has been answered, or cut off after `graceMs`. */
export function stopListening(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      server.off("listening", ready);
      reject(error);
    };
    const ready = () => {
      server.off("error", failed);
      resolve();
    };
    server.once("error", failed);
    server.once("listening", ready);
    listen();
  });
}

/** Whether somebody accepts connections on the socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error) => {
      // Left behind, not there, or no socket at all.
      if (["ECONNREFUSED", "ENOENT", "ENOTSOCK"].includes(errnoOf(error) ?? "")) resolve(false);
      else reject(error);
    });
  });
}
