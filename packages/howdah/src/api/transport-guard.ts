/**
 * Who may ask. The transport decides: what comes over the Unix socket was let in by the file's mode, everything else
 * needs a key. Which transport a request came by is read from the connection itself, never from anything that was
 * sent, so no header can pose as the socket; a connection that nobody marked counts as a stranger's.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { HowdahError } from "../kernel/errors.js";

const overUnixSocket = new WeakSet<Socket>();

/** Called by the listener of the Unix socket, for each connection that it accepts. */
export function markTrusted(connection: Socket): void {
  overUnixSocket.add(connection);
}

export function isTrusted(request: IncomingMessage): boolean {
  return overUnixSocket.has(request.socket);
}

/**
 * Refuses a request by TCP whose Host is not a loopback name: a page of another site that made its own name point to
 * 127.0.0.1 (DNS rebinding) sends that name. Any port will do, since an SSH tunnel has one of its own. Throws FORBIDDEN.
 */
export function checkHost(request: IncomingMessage): void {
  const host = request.headers.host ?? "";
  if (/^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host)) return;
  throw new HowdahError("FORBIDDEN", `this server does not answer to the name '${host}'`, {
    hint: "Address it as 127.0.0.1 or localhost.",
  });
}

/** Throws UNAUTHORIZED, with the same words for a missing and a wrong key. */
export function checkKey(request: IncomingMessage, authenticate: (key: string) => boolean): void {
  const key = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (key === undefined || !authenticate(key)) throw new HowdahError("UNAUTHORIZED", "a valid API key is required");
}

/** For what not even the holder of a key may ask from afar. Throws FORBIDDEN. */
export function requireTrusted(request: IncomingMessage, what: string): void {
  if (!isTrusted(request)) throw new HowdahError("FORBIDDEN", `${what} passes over the Unix socket only`);
}
