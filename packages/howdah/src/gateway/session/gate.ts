/**
 * The door to one server. Open, everybody passes; closed, whoever comes asks control to wake the server, all of them
 * with one question, and passes when control (or its notice) says that it takes connections.
 *
 * `busy` is what makes `close` atomic: a session counts from the moment in which it passes, in the same turn of the
 * event loop, so control cannot be told "nobody" while somebody is on the way.
 */
import { backoffMs } from "../../kernel/retry.js";
import type { ControlCalls } from "../link/contract.js";
import { sqlstateOf } from "./refusal.js";
import { within } from "./within.js";

export type WakeRequest = ControlCalls["wake"]["params"];

interface Waking {
  waiters: number;
  readonly done: Promise<void>;
  readonly release: () => void;
}

export class Gate {
  #open: boolean;
  #busy = 0;
  #waking: Waking | null = null;

  constructor(
    open: boolean,
    private readonly o: {
      readonly wake: (request: WakeRequest) => Promise<void>;
      readonly sleep: (ms: number) => Promise<void>;
      readonly onAway: (error: unknown) => void;
    },
  ) {
    this.#open = open;
  }

  /** Sessions that are connected to the server or on their way to it. */
  get busy(): number {
    return this.#busy;
  }

  /** Waits until the server takes connections; then the caller is on the way and must call `leave` once.
   *  @throws whatever control answered (an error with an SQLSTATE), Elapsed, the signal's reason */
  async pass(request: WakeRequest, o: { ms: number; signal: AbortSignal }): Promise<void> {
    if (!this.#open || request.failed !== null || this.#waking !== null) await this.#awaken(request, o);
    this.#busy += 1;
  }

  leave(): void {
    this.#busy -= 1;
  }

  setOpen(open: boolean): void {
    this.#open = open;
    if (open) this.#waking?.release();
  }

  /** See `GatewayCalls.close`. */
  close(o: { readonly unlessBusy: boolean }): number {
    if (!o.unlessBusy || this.#busy === 0) this.#open = false;
    return this.#busy;
  }

  async #awaken(request: WakeRequest, o: { ms: number; signal: AbortSignal }): Promise<void> {
    this.#waking ??= this.#begin(request);
    const waking = this.#waking;
    waking.waiters += 1;
    try {
      await within(waking.done, o);
    } finally {
      waking.waiters -= 1;
      // An unanswered question that nobody waits for any more must not hold the next one up.
      if (waking.waiters === 0) this.#forget(waking);
    }
  }

  #begin(request: WakeRequest): Waking {
    let release: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Not before the first one waits for it.
    const asked = Promise.resolve().then(() => this.#ask(request, () => waking.waiters > 0));
    const done = Promise.race([opened, asked]).finally(() => this.#forget(waking));
    const waking: Waking = { waiters: 0, done, release };
    // Whoever waits hears of it; when all have left, nobody has to.
    done.catch(() => undefined);
    return waking;
  }

  /** While control is away, again and again, as long as somebody waits. */
  async #ask(request: WakeRequest, wanted: () => boolean): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.o.wake(request);
      } catch (error) {
        if (sqlstateOf(error) !== null || !wanted()) throw error;
        this.o.onAway(error);
        await this.o.sleep(backoffMs(attempt, 50, 1_000));
      }
    }
  }

  #forget(waking: Waking): void {
    if (this.#waking === waking) this.#waking = null;
  }
}
