/**
 * What a keeper and its workers tell each other over Node's channel between parent and child, which can carry listening
 * sockets. A worker may have been taken over by a stranger, so the keeper believes it nothing but service numbers; and
 * since a stranger may also have made the socket that comes with one, the next worker asks the socket itself for its
 * address.
 */

/** From worker to keeper. */
export type ToKeeper =
  /** With a listener: keep it, in place of the one that was kept for this service. `turn` comes back in `done`. */
  | { readonly say: "hold"; readonly service: number; readonly turn: number }
  | { readonly say: "drop"; readonly service: number; readonly turn: number }
  /** Control has told this worker about every listener that it was given. */
  | { readonly say: "ready" }
  /** Start a successor. */
  | { readonly say: "handover" }
  /** This worker has closed its listeners. */
  | { readonly say: "silent" }
  /** End the whole gateway. */
  | { readonly say: "end" };

/** From keeper to worker. */
export type ToWorker =
  /** With a listener that the keeper holds for the service. */
  | { readonly say: "listener"; readonly service: number }
  /** All listeners were given. `accept`: take connections as soon as control has described an endpoint; else wait for
   *  `accept`, because another worker still takes them. `mockSecret` (hexadecimal): from it come the salts of roles
   *  that do not exist, which must not change from worker to worker, or they would give themselves away. */
  | { readonly say: "start"; readonly accept: boolean; readonly mockSecret: string }
  | { readonly say: "accept" }
  /** The keeper holds what it was given, or has let go of it. */
  | { readonly say: "done"; readonly turn: number }
  /** Close your listeners and answer `silent`: the successor is ready. */
  | { readonly say: "fall-silent" }
  | { readonly say: "handed-over"; readonly pid: number }
  | { readonly say: "handover-failed"; readonly why: string };

/** All but the answers that a `KeeperLine` waits for by itself. */
export type KeeperOrder = Exclude<ToWorker, { readonly say: "done" }>;

/** A listening socket as it is passed between processes: a handle of Node's, which nobody reads from here. */
export interface ListenerHandle {
  close(): void;
  /** Fills in `address` and `port`; 0 on success. */
  getsockname(out: { address?: string; port?: number }): number;
}

export function isListenerHandle(value: unknown): value is ListenerHandle {
  if (typeof value !== "object" || value === null) return false;
  const { close, getsockname } = value as Record<string, unknown>;
  return typeof close === "function" && typeof getsockname === "function";
}

const SAYINGS: readonly string[] = ["hold", "drop", "ready", "handover", "silent", "end"] satisfies ToKeeper["say"][];

/** null for anything that no worker of ours would say. */
export function readToKeeper(message: unknown): ToKeeper | null {
  if (typeof message !== "object" || message === null) return null;
  const { say, service, turn } = message as Record<string, unknown>;
  if (typeof say !== "string" || !SAYINGS.includes(say)) return null;
  if (say !== "hold" && say !== "drop") return { say } as ToKeeper;
  return isCount(service) && isCount(turn) ? { say, service, turn } : null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}
