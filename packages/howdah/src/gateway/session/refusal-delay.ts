/**
 * Makes guessing slow and nothing else: the answer of a failed login waits, longer with each failure of the same
 * address at the same service; a right password never waits, so nobody can lock another one out from behind the same
 * address. What is remembered and what waits has a bound; who has more answers waiting than that is hung up on.
 */
import type { Clock } from "../../kernel/clock.js";

/** People mistype; programs with an old password try again. */
const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
const FORGOTTEN_AFTER_MS = 5 * 60_000;

interface Failures {
  failures: number;
  lastAt: number;
  waiting: number;
}

export class RefusalDelay {
  readonly #records = new Map<string, Failures>();

  constructor(private readonly o: { readonly clock: Clock; readonly addresses: number; readonly waiting: number }) {}

  /** Counts a failed login. Answers how long its answer has to wait, and `done` to be called when it has; null: too many
   *  wait already. */
  failed(key: string): { readonly waitMs: number; done(): void } | null {
    const now = this.o.clock.now();
    const known = this.#records.get(key);
    const record = known ?? { failures: 0, lastAt: now, waiting: 0 };
    if (now - record.lastAt > FORGOTTEN_AFTER_MS) record.failures = 0;
    record.failures += 1;
    record.lastAt = now;
    this.#keep(key, record);
    const waitMs = delayOf(record.failures);
    if (waitMs > 0 && record.waiting >= this.o.waiting) return null;
    record.waiting += 1;
    return {
      waitMs,
      done: () => {
        record.waiting -= 1;
      },
    };
  }

  get size(): number {
    return this.#records.size;
  }

  /** The one that failed longest ago goes first. */
  #keep(key: string, record: Failures): void {
    this.#records.delete(key);
    this.#records.set(key, record);
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= this.o.addresses) break;
      this.#records.delete(oldest);
    }
  }
}

function delayOf(failures: number): number {
  if (failures <= FREE_FAILURES) return 0;
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - FREE_FAILURES - 1, 10));
}
