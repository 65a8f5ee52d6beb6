/**
 * Makes guessing slow. The answer of a failed login waits, longer with each failure of the same address at the same
 * service. Whoever does not wait for the answer takes it for a no, so only so many failures of an address may be waiting:
 * for the time that each of them takes, also when its client has left, further proofs of that address are not looked at.
 *
 * Nobody may lock others out from behind an address that they share. So a role that has logged in from there before
 * never waits, and neither does anybody on this machine, where all share one address.
 */
import type { Clock } from "../../kernel/clock.js";
import { isLoopback } from "../../spec/addresses.js";
import { blameOf, type Peer } from "./peer.js";
import { Refused, SQLSTATES } from "./refusal.js";
import { Elapsed, within } from "./within.js";

/** People mistype; programs with an old password try again. */
const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
const FORGOTTEN_AFTER_MS = 5 * 60_000;
/** Proofs that wait to be looked at, for each failure that may wait. */
const LINE_PER_WAITING = 4;
const LINE_MS = 10_000;

export interface Attempt {
  readonly service: number;
  readonly peer: Peer;
  readonly role: string;
}

interface Failures {
  failures: number;
  lastAt: number;
  waiting: number;
  /** In the order in which they came. */
  readonly line: Set<() => void>;
}

export class RefusalDelay {
  readonly #records = new Map<string, Failures>();
  /** Roles that have logged in, with their addresses. */
  readonly #welcome = new Set<string>();

  /** `addresses`: how many are remembered; `waiting`: failures of one address that may wait for their answer. */
  constructor(private readonly o: { readonly clock: Clock; readonly addresses: number; readonly waiting: number }) {}

  /** Resolves when the attempt's proof may be looked at. Throws Refused when that takes too long; the signal's reason. */
  async turn(attempt: Attempt, signal: AbortSignal): Promise<void> {
    const record = this.#records.get(keyOf(attempt));
    if (record === undefined || this.#isWelcome(attempt)) return;
    if (record.waiting < this.o.waiting && record.line.size === 0) return;
    if (record.line.size >= LINE_PER_WAITING * this.o.waiting) throw tooMany();
    let proceed: () => void = () => undefined;
    const turn = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    record.line.add(proceed);
    try {
      await within(turn, { ms: LINE_MS, signal });
    } catch (error) {
      throw error instanceof Elapsed ? tooMany() : error;
    } finally {
      record.line.delete(proceed);
    }
  }

  /** Counts a failed login. Answers when its answer is due; null: too many wait already, there is none. */
  failed(attempt: Attempt): { readonly due: (signal: AbortSignal) => Promise<void> } | null {
    const key = keyOf(attempt);
    const now = this.o.clock.now();
    const record = this.#records.get(key) ?? { failures: 0, lastAt: now, waiting: 0, line: new Set() };
    if (now - record.lastAt > FORGOTTEN_AFTER_MS) record.failures = 0;
    record.failures += 1;
    record.lastAt = now;
    this.#records.delete(key);
    this.#records.set(key, record);
    this.#makeRoom();
    const waitMs = delayOf(record.failures);
    if (waitMs === 0) return { due: async () => undefined };
    if (record.waiting >= this.o.waiting && this.#isWelcome(attempt)) return null;
    const over = this.#occupy(record, waitMs);
    return { due: (signal) => within(over, { ms: waitMs + LINE_MS, signal }) };
  }

  succeeded(attempt: Attempt): void {
    const key = roleKeyOf(attempt);
    this.#welcome.delete(key);
    this.#welcome.add(key);
    for (const oldest of this.#welcome) {
      if (this.#welcome.size <= this.o.addresses) break;
      this.#welcome.delete(oldest);
    }
  }

  get size(): number {
    return this.#records.size;
  }

  #isWelcome(attempt: Attempt): boolean {
    return isLoopback(attempt.peer.address) || this.#welcome.has(roleKeyOf(attempt));
  }

  async #occupy(record: Failures, waitMs: number): Promise<void> {
    record.waiting += 1;
    try {
      await this.o.clock.sleep(waitMs);
    } finally {
      record.waiting -= 1;
      const [next] = record.line;
      if (next !== undefined) record.line.delete(next);
      next?.();
    }
  }

  /** The one that failed longest ago goes first. */
  #makeRoom(): void {
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= this.o.addresses) break;
      this.#records.delete(oldest);
    }
  }
}

function keyOf({ service, peer }: Attempt): string {
  return `${service}/${blameOf(peer)}`;
}

function roleKeyOf(attempt: Attempt): string {
  return `${keyOf(attempt)}/${attempt.role}`;
}

function delayOf(failures: number): number {
  if (failures <= FREE_FAILURES) return 0;
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - FREE_FAILURES - 1, 10));
}

function tooMany(): Refused {
  return new Refused("overload", SQLSTATES.cannotConnectNow, "too many failed logins from this address", {
    hint: "Try again in a few seconds.",
  });
}
