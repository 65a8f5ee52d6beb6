/**
 * Sleep and wake of services in flash mode: who is idle since when, who is waited for, and what it cost. It only keeps
 * wishes; the reconciler carries them out, so a start, a stop and a change of settings never overlap. Nothing here has
 * to survive a crash: a server that runs is awake, one that is down and was put to sleep sleeps.
 */
import { formatDuration } from "../kernel/durations.js";
import { HowdahError } from "../kernel/errors.js";
import type { ServiceRecord } from "../store/index.js";
import { type Base, titleOf } from "./base.js";
import type { Gateway } from "./gateway.js";
import type { SleepView } from "./types.js";

/** After the answer "not now" the next question comes this much later, or after the service's own timeout if shorter. */
const ASK_AGAIN_MS = 5_000;
/** Upper bounds of the wake histogram, in seconds. */
const BUCKETS = [0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface State {
  /** Since when somebody waits for it. */
  wantedSince: number | null;
  waiters: Waiter[];
  /** No client since then; null: there are some, or the server does not run. */
  idleSince: number | null;
  timer: NodeJS.Timeout | null;
  sleepWanted: boolean;
  /** Something spoke against a sleep: no question before this moment. */
  notBefore: number;
  /** Ends the preparations for a sleep: somebody came. */
  interrupt: AbortController | null;
  /** What spoke against the last sleep. */
  reasons: readonly string[];
  /** How long the wake took that is not written down yet, in milliseconds. */
  tookMs: number | null;
}

export class Sleep {
  readonly #context: Base & { readonly gateway: Gateway };
  readonly #kick: (id: number) => void;
  readonly #states = new Map<number, State>();
  readonly #counts = BUCKETS.map(() => 0);
  #wakes = 0;
  #seconds = 0;

  constructor(context: Base & { readonly gateway: Gateway }, kick: (id: number) => void) {
    this.#context = context;
    this.#kick = kick;
  }

  wakeWanted(id: number): boolean {
    return this.#states.get(id)?.wantedSince != null;
  }

  sleepWanted(id: number): boolean {
    return this.#states.get(id)?.sleepWanted ?? false;
  }

  /** Somebody wants the server; resolves when it takes connections. Rejects when it cannot be started. */
  wake(id: number): Promise<void> {
    const state = this.#state(id);
    const woken = new Promise<void>((resolve, reject) => state.waiters.push({ resolve, reject }));
    this.want(id);
    return woken;
  }

  /** As `wake`, for somebody who does not wait here. */
  want(id: number): void {
    const state = this.#state(id);
    state.wantedSince ??= performance.now();
    state.sleepWanted = false;
    if (state.idleSince !== null) state.idleSince = Date.now();
    state.interrupt?.abort();
    this.#kick(id);
  }

  /** The gateway tells how many clients there are. */
  activity(id: number, sessions: number): void {
    const state = this.#states.get(id);
    if (state === undefined) return;
    if (sessions > 0) {
      this.#busy(state);
      return;
    }
    state.idleSince ??= Date.now();
    this.#plan(id, state);
  }

  /** The server runs and takes connections: whoever waits is let in. Nothing is written here, clients wait for it. */
  running(record: ServiceRecord): void {
    const state = this.#state(record.id);
    const waiters = state.waiters.splice(0);
    for (const { resolve } of waiters) resolve();
    if (state.wantedSince !== null) state.tookMs = performance.now() - state.wantedSince;
    state.wantedSince = null;
    if (this.#context.gateway.sessions(record.id) === 0) state.idleSince ??= Date.now();
    this.#plan(record.id, state);
  }

  /** Writes down that it was woken, if it was. */
  noteWake(record: ServiceRecord): void {
    const { store, log } = this.#context;
    const state = this.#state(record.id);
    const { tookMs } = state;
    state.tookMs = null;
    const sleep = store.services.sleep(record.id);
    if (!sleep.asleep) return;
    const now = Date.now();
    const slept = sleep.sleptAt === null ? 0 : Math.max(0, now - sleep.sleptAt);
    store.services.observeSleep(record.id, {
      asleep: false,
      wakes: sleep.wakes + 1,
      sleptAt: null,
      asleepMs: sleep.asleepMs + slept,
      lastWakeAt: now,
      lastWakeMs: tookMs === null ? null : Math.round(tookMs * 10) / 10,
    });
    if (tookMs === null) return;
    this.#count(tookMs / 1_000);
    log.debug({ serviceId: record.id, tookMs }, "woken");
  }

  /** It is down: asleep, stopped, or about to be started again. */
  down(id: number): void {
    const state = this.#states.get(id);
    if (state === undefined) return;
    this.#busy(state);
    state.reasons = [];
    if (state.waiters.length === 0 && state.wantedSince === null) this.#states.delete(id);
  }

  /** What cannot be helped by waiting is told to whoever waits. */
  failed(id: number, error: HowdahError): void {
    if (error.spec.retryable) return;
    this.giveUp(id, error);
  }

  giveUp(id: number, error: HowdahError): void {
    const state = this.#states.get(id);
    if (state === undefined) return;
    state.wantedSince = null;
    for (const { reject } of state.waiters.splice(0)) reject(error);
  }

  /** An attempt to put it to sleep begins; the signal ends it. */
  preparing(id: number): AbortSignal {
    const state = this.#state(id);
    state.interrupt = new AbortController();
    return state.interrupt.signal;
  }

  /** The attempt is over; with reasons it goes on running. */
  prepared(id: number, reasons: readonly string[]): void {
    const state = this.#state(id);
    state.interrupt = null;
    state.sleepWanted = false;
    state.reasons = reasons;
    if (state.idleSince === null || reasons.length === 0) return;
    const record = this.#context.store.services.get(id);
    if (record?.definition.mode.kind !== "flash") return;
    // Kept, since whoever settles the service plans once more.
    state.notBefore = Date.now() + Math.min(ASK_AGAIN_MS, record.definition.mode.timeoutMs);
    this.#plan(id, state);
  }

  view(record: ServiceRecord): SleepView {
    const { store, gateway } = this.#context;
    const sleep = store.services.sleep(record.id);
    const isAsleep = record.state === "sleeping" && sleep.sleptAt !== null;
    return {
      awakeBecause: record.state === "running" ? this.#awakeBecause(record) : null,
      connections: gateway.sessions(record.id),
      wakes: sleep.wakes,
      lastWakeMs: sleep.lastWakeMs,
      lastWakeAt: sleep.lastWakeAt,
      asleepSince: isAsleep ? sleep.sleptAt : null,
      asleepMs: sleep.asleepMs + (isAsleep ? Math.max(0, Date.now() - (sleep.sleptAt ?? 0)) : 0),
    };
  }

  /** Cumulative, as Prometheus has them; seconds. */
  histogram(): { buckets: { le: number; count: number }[]; sum: number; count: number } {
    return {
      buckets: BUCKETS.map((le, i) => ({ le, count: this.#counts[i] ?? 0 })),
      sum: this.#seconds,
      count: this.#wakes,
    };
  }

  close(): void {
    for (const state of this.#states.values()) {
      this.#busy(state);
      const error = new HowdahError("SERVER_UNREACHABLE", "the server is ending");
      for (const { reject } of state.waiters.splice(0)) reject(error);
    }
  }

  #awakeBecause(record: ServiceRecord): string {
    const { mode } = record.definition;
    const { gateway } = this.#context;
    const sessions = gateway.sessions(record.id);
    if (sessions > 0) return describeSessions(sessions, gateway.details(record.id));
    if (mode.kind === "regular") return "its mode is regular";
    const state = this.#states.get(record.id);
    if (state?.reasons.length) return state.reasons.join("; ");
    if (!gateway.present) return "the gateway is not there to count its connections";
    if (state?.interrupt != null) return "about to sleep";
    const since = state?.idleSince ?? null;
    if (since === null) return "it has just been started";
    const leftMs = Math.max(0, since + mode.timeoutMs - Date.now());
    return `idle, sleeps in ${formatDuration(Math.ceil(leftMs / 1_000) * 1_000)}`;
  }

  #state(id: number): State {
    let state = this.#states.get(id);
    if (state === undefined) {
      state = {
        wantedSince: null,
        waiters: [],
        idleSince: null,
        timer: null,
        sleepWanted: false,
        notBefore: 0,
        interrupt: null,
        reasons: [],
        tookMs: null,
      };
      this.#states.set(id, state);
    }
    return state;
  }

  #busy(state: State): void {
    state.idleSince = null;
    state.sleepWanted = false;
    state.interrupt?.abort();
    if (state.timer !== null) clearTimeout(state.timer);
    state.timer = null;
  }

  /** Makes the timer match the mode and how long it has been idle. */
  #plan(id: number, state: State): void {
    const mode = this.#context.store.services.get(id)?.definition.mode;
    if (state.idleSince === null || mode?.kind !== "flash") {
      if (state.timer !== null) clearTimeout(state.timer);
      state.timer = null;
      return;
    }
    const at = Math.max(state.idleSince + mode.timeoutMs, state.notBefore);
    this.#later(id, state, Math.max(0, at - Date.now()));
  }

  #later(id: number, state: State, waitMs: number): void {
    if (state.timer !== null) clearTimeout(state.timer);
    state.timer = setTimeout(() => {
      state.timer = null;
      this.#ask(id, state);
    }, waitMs);
    state.timer.unref();
  }

  #ask(id: number, state: State): void {
    const record = this.#context.store.services.get(id);
    if (record?.definition.mode.kind !== "flash" || record.state !== "running" || state.idleSince === null) return;
    // Without the gateway nobody knows whether there are clients.
    if (!this.#context.gateway.present) {
      this.#later(id, state, ASK_AGAIN_MS);
      return;
    }
    state.sleepWanted = true;
    this.#context.log.debug({ service: titleOf(record) }, "idle long enough to sleep");
    this.#kick(id);
  }

  #count(seconds: number): void {
    this.#wakes++;
    this.#seconds += seconds;
    for (const [i, le] of BUCKETS.entries()) if (seconds <= le) this.#counts[i] = (this.#counts[i] ?? 0) + 1;
  }
}

const SHOWN = 3;

/** `2 open connections from 127.0.0.1 (psql), 10.0.0.7 (web)`. */
export function describeSessions(
  count: number,
  known: readonly { readonly client: string; readonly application: string }[],
): string {
  const words = count === 1 ? "1 open connection" : `${count} open connections`;
  const from = [...new Set(known.map(({ client, application }) => describeClient(client, application)))];
  if (from.length === 0) return words;
  const more = from.length > SHOWN ? " and others" : "";
  return `${words} from ${from.slice(0, SHOWN).join(", ")}${more}`;
}

function describeClient(client: string, application: string): string {
  const address = client.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return application === "" ? address : `${address} (${application})`;
}
