/**
 * Which CancelRequest belongs to which server. Only the sessions of this worker that are connected are in it, so a
 * request for a service that sleeps, or with a wrong secret, reaches nobody and wakes nothing.
 */
import { timingSafeEqual } from "node:crypto";
import { connect } from "node:net";
import { cancelRequest } from "../protocol/index.js";

/** PostgreSQL hangs up as soon as it has read the request. */
export const CANCEL_MS = 5_000;

interface Entry {
  readonly secret: Buffer;
  readonly socketPath: string;
}

export class CancelTable {
  /** By service and pid. More than one where a pid came back before the old session was gone. */
  readonly #entries = new Map<string, Entry[]>();

  /** Answers how to take it out again. */
  add(service: number, pid: number, entry: Entry): () => void {
    const key = `${service}:${pid}`;
    this.#entries.set(key, [...(this.#entries.get(key) ?? []), entry]);
    return () => {
      const rest = (this.#entries.get(key) ?? []).filter((other) => other !== entry);
      if (rest.length === 0) this.#entries.delete(key);
      else this.#entries.set(key, rest);
    };
  }

  /** The socket of the server that runs the session; null when there is none with this secret. */
  find(service: number, pid: number, secret: Buffer): string | null {
    let found: string | null = null;
    for (const entry of this.#entries.get(`${service}:${pid}`) ?? []) {
      if (entry.secret.length === secret.length && timingSafeEqual(entry.secret, secret)) found = entry.socketPath;
    }
    return found;
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** Sends the request and resolves when the server has taken it (it hangs up, and says nothing) or could not be reached:
 *  the client learns neither, as from PostgreSQL. */
export function forwardCancel(
  socketPath: string,
  o: { pid: number; secret: Buffer; timeoutMs: number },
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    socket.setTimeout(o.timeoutMs, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
    socket.write(cancelRequest(o.pid, o.secret));
  });
}
