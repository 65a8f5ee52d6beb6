/**
 * Clients that a server has turned away because it has no backend free (53300), in the order in which they came. One is
 * let through when a session of the service ends, and one now and then, because backends are freed by others as well.
 * Limits may hold for the whole server, for a role or for a database, so those of one role and database stand in a line
 * of their own and block nobody else.
 */
import { within } from "./within.js";

interface Waiter {
  readonly ticket: number;
  readonly pair: string;
  readonly proceed: () => void;
}

/** Lines that are asked for at each tick. */
const LINES_PER_TICK = 8;

export class BackendLine {
  readonly #waiting: Waiter[] = [];
  readonly #tickMs: number;
  #nextTicket = 1;
  #timer: NodeJS.Timeout | null = null;
  /** What the server said last: for one whose time is over before it was its turn. */
  #lastWords: Buffer | null = null;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** The place of a session, kept through all its attempts. */
  takeTicket(): number {
    return this.#nextTicket++;
  }

  /** Does somebody wait who came earlier? */
  isCrowded(pair: string, ticket: number): boolean {
    return this.#waiting.some((waiter) => waiter.pair === pair && waiter.ticket < ticket);
  }

  get lastWords(): Buffer | null {
    return this.#waiting.length === 0 ? null : this.#lastWords;
  }

  turnedAway(words: Buffer): void {
    this.#lastWords = words;
  }

  /** Resolves when another attempt is due. Rejects like `within`. */
  async wait(pair: string, ticket: number, o: { ms: number; signal: AbortSignal }): Promise<void> {
    let proceed: () => void = () => undefined;
    const turn = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const waiter = { ticket, pair, proceed };
    const after = this.#waiting.findLastIndex((other) => other.ticket < ticket);
    this.#waiting.splice(after + 1, 0, waiter);
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs);
    try {
      await within(turn, o);
    } finally {
      this.#remove(waiter);
    }
  }

  /** A session has ended: its backend may be free for the oldest of all, or only for its own role and database. */
  freed(pair: string): void {
    const oldest = this.#waiting[0];
    this.#call(oldest);
    if (oldest?.pair !== pair) this.#call(this.#waiting.find((waiter) => waiter.pair === pair));
  }

  /** One of them got in: perhaps there is room for more. */
  admitted(pair: string): void {
    this.#call(this.#waiting.find((waiter) => waiter.pair === pair));
  }

  #tick(): void {
    const heads = new Map<string, Waiter>();
    for (const waiter of this.#waiting) {
      if (!heads.has(waiter.pair)) heads.set(waiter.pair, waiter);
      if (heads.size === LINES_PER_TICK) break;
    }
    for (const waiter of heads.values()) this.#call(waiter);
  }

  #call(waiter: Waiter | undefined): void {
    if (waiter === undefined) return;
    this.#remove(waiter);
    waiter.proceed();
  }

  #remove(waiter: Waiter): void {
    const at = this.#waiting.indexOf(waiter);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (this.#waiting.length > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
