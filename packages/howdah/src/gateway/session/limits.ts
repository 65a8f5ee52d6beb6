/**
 * What strangers and clients may cost one gateway worker. Everything a stranger can cause is counted and has a bound
 * here: sockets, bytes, time, remembered addresses, waiting answers.
 */
import { readFileSync } from "node:fs";

export interface Limits {
  /** Sockets that have not proven who they are; one more, and the oldest is dropped, so that strangers lock nobody out. */
  readonly unauthenticated: number;
  /** For all bytes until the client is authenticated; waiting for control does not count. */
  readonly loginMs: number;
  /** Bytes that a client may have sent before it is authenticated and that nobody has read yet. */
  readonly unreadBytes: number;
  /** Bytes kept for a client that is held; then its socket is not read any more. */
  readonly heldBytes: number;
  /** Of one service, held ones included: whoever may log in to one must not use up what all of them share. */
  readonly sessionsPerService: number;
  /** Logins to one server at the same time; the others wait in line. */
  readonly serverLogins: number;
  /** Longest wait before a server without a free backend (53300) is asked again. */
  readonly backendRetryMs: number;
  /** For one login to the server; a server that hangs longer is asked again, within the hold limit. */
  readonly serverLoginMs: number;
  /** With a secret at hand from before, how long control may take before that one is used. */
  readonly verifierMs: number;
  /** Addresses whose wrong passwords are remembered. */
  readonly refusedAddresses: number;
  /** Refusals that wait for their time, of one address; meanwhile no further proof of it is looked at. */
  readonly waitingRefusals: number;
  /** How long a socket is still read after its last answer, so that the answer is not lost by a reset. */
  readonly lingerMs: number;
}

export function defaultLimits(): Limits {
  const descriptors = descriptorLimit();
  return {
    // Each session that works takes two descriptors: strangers get no more than half of all.
    unauthenticated: Math.max(16, Math.min(10_000, Math.floor(descriptors / 2))),
    // And the clients of one service a quarter.
    sessionsPerService: Math.max(16, Math.min(5_000, Math.floor(descriptors / 8))),
    loginMs: 15_000,
    unreadBytes: 10_240,
    heldBytes: 16_384,
    serverLogins: 16,
    backendRetryMs: 250,
    serverLoginMs: 30_000,
    verifierMs: 1_000,
    refusedAddresses: 10_000,
    waitingRefusals: 16,
    lingerMs: 1_000,
  };
}

/** Node raises its own soft limit to the hard one when it starts; elsewhere than on Linux it is not asked. */
function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? 20_000 : Number(soft);
  } catch {
    // No /proc here (macOS): then the default is bounded by its own number only.
    return 20_000;
  }
}
