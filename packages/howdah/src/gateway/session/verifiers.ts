/**
 * What control knows of roles. It is asked at each login, so that a password changed by SQL holds at the next one;
 * logins that come while a question is on its way share the next question, never one that was asked before they came.
 * Control away or slow: the last known answer counts, and the server itself decides.
 */
import type { Clock } from "../../kernel/clock.js";
import { backoffMs } from "../../kernel/retry.js";
import type { RoleSecret } from "../../spec/index.js";
import { Refused, SQLSTATES, sqlstateOf } from "./refusal.js";
import { within } from "./within.js";

/** Roles whose last known secret is kept, of all services together. */
const REMEMBERED = 4_096;
/** A question that is lost must not hold up those who share the next one. */
const ASKING_MS = 10_000;

interface Asking {
  current: Promise<RoleSecret | null>;
  next: Promise<RoleSecret | null> | null;
}

export class Verifiers {
  readonly #asking = new Map<string, Asking>();
  readonly #known = new Map<string, RoleSecret>();
  readonly #never = new AbortController().signal;

  constructor(
    private readonly o: {
      readonly ask: (service: number, role: string) => Promise<RoleSecret | null>;
      readonly clock: Clock;
      readonly patienceMs: number;
      readonly onAway: (error: unknown) => void;
    },
  ) {}

  /** @throws Refused 57P03 when control is away for longer than `holdMs` and the role is not known from before, or with
   *    the SQLSTATE that control answered with; the signal's reason */
  async lookUp(
    service: number,
    role: string,
    o: { readonly holdMs: number; readonly signal: AbortSignal },
  ): Promise<RoleSecret | null> {
    const key = `${service}:${role}`;
    const until = this.o.clock.now() + o.holdMs;
    for (let attempt = 0; ; attempt++) {
      const known = this.#known.get(key);
      const left = Math.max(until - this.o.clock.now(), this.o.patienceMs);
      try {
        const ms = known === undefined ? left : this.o.patienceMs;
        const secret = await within(this.#share(key, service, role), { ms, signal: o.signal });
        this.#remember(key, secret);
        return secret;
      } catch (error) {
        if (o.signal.aborted) throw error;
        const sqlstate = sqlstateOf(error);
        if (sqlstate !== null) throw unavailable(error, sqlstate);
        this.o.onAway(error);
        if (known !== undefined) return known;
        const waitMs = backoffMs(attempt, 50, 1_000);
        if (this.o.clock.now() + waitMs > until) throw unavailable(error);
        await this.o.clock.sleep(waitMs, o.signal);
      }
    }
  }

  #share(key: string, service: number, role: string): Promise<RoleSecret | null> {
    const asking = this.#asking.get(key);
    if (asking !== undefined) {
      asking.next ??= settled(asking.current).then(() => {
        // The question before is over, so this one is the current one and the next has not been thought of.
        const current = this.#ask(service, role);
        this.#begin(key, current);
        return current;
      });
      return asking.next;
    }
    const current = this.#ask(service, role);
    this.#begin(key, current);
    return current;
  }

  #begin(key: string, current: Promise<RoleSecret | null>): void {
    const asking: Asking = { current, next: null };
    this.#asking.set(key, asking);
    void settled(current).then(() => {
      if (asking.next === null && this.#asking.get(key) === asking) this.#asking.delete(key);
    });
  }

  /** A call that throws at once is an answer like any other. */
  async #ask(service: number, role: string): Promise<RoleSecret | null> {
    return within(this.o.ask(service, role), { ms: ASKING_MS, signal: this.#never });
  }

  #remember(key: string, secret: RoleSecret | null): void {
    this.#known.delete(key);
    if (secret === null) return;
    this.#known.set(key, secret);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
  }
}

/** Resolves however `work` ends. */
function settled(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => undefined,
    () => undefined,
  );
}

/** Whoever hears this has not proven anything yet: control's own words, with paths and what PostgreSQL said, are for
 *  people whom it may concern. */
function unavailable(cause: unknown, sqlstate: string = SQLSTATES.cannotConnectNow): Refused {
  return new Refused("unavailable", sqlstate, "the gateway cannot ask for the role's password now", {
    cause,
    hint: "Try again in a moment; 'howdah services list' tells what state the service is in.",
  });
}
