/** Waiting for a wish, as a long poll: the answer comes at the end, at a change worth telling, or when time is up. */
import { setTimeout as delay } from "node:timers/promises";
import type { Control, ServiceView } from "../control/types.js";
import { isHowdahError } from "../kernel/errors.js";

/** Phases of a start last tens of milliseconds; reading the row costs far less. */
const LOOK_MS = 25;
/** Control's own limit lies beyond ours, so that a TIMEOUT of control's is always a reason, not the end of this poll. */
const MARGIN_MS = 60_000;

export interface WishAnswer {
  readonly done: boolean;
  /** null: gone. */
  readonly view: ServiceView | null;
}

export interface WishOptions {
  readonly timeoutMs: number;
  /** `status|detail` as last seen; a difference is an answer. Absent: only the end is. */
  readonly since?: string | undefined;
  /** Aborted when nobody waits for the answer any more, or the server is about to end. */
  readonly signal: AbortSignal;
}

/** Throws SERVICE_NOT_FOUND, and the reason why a wish failed. */
export async function awaitWish(control: Control, id: number, options: WishOptions): Promise<WishAnswer> {
  const now = look(control, id);
  if (now?.busy && differs(now, options.since)) return { done: false, view: now };
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const end = control.services.waitFor(id, { timeoutMs: options.timeoutMs + MARGIN_MS, signal }).then(
    (view): WishAnswer => ({ done: true, view }),
    // An abort is no answer: `watch` gives the state as it is then.
    (error: unknown) => (signal.aborted ? never<WishAnswer>() : Promise.reject(error)),
  );
  // Even of a service that is not there: control knows why one that could not be made was taken back.
  const news = now === undefined ? never<WishAnswer>() : watch(control, now, { ...options, signal });
  try {
    return await Promise.race([end, news]);
  } finally {
    over.abort();
    // Whatever the loser of the race has to say, it was answered already.
    end.catch(() => undefined);
    news.catch(() => undefined);
  }
}

/** Resolves at the first difference from `since`, or with the state as it is when time is up or the signal came. */
async function watch(control: Control, first: ServiceView, options: WishOptions): Promise<WishAnswer> {
  const deadline = Date.now() + options.timeoutMs;
  let last = first;
  for (;;) {
    const leftMs = deadline - Date.now();
    if (leftMs <= 0 || options.signal.aborted) return { done: false, view: last };
    const pauseMs = options.since === undefined ? leftMs : Math.min(LOOK_MS, leftMs);
    // An abort ends the pause early; the loop then sees it.
    await delay(pauseMs, undefined, { signal: options.signal }).catch(() => undefined);
    const view = look(control, first.id);
    // Gone: whether as wished is for `waitFor` to say.
    if (view === undefined) return never();
    last = view;
    if (differs(view, options.since)) return { done: false, view };
  }
}

function look(control: Control, id: number): ServiceView | undefined {
  try {
    return control.services.get(id);
  } catch (error) {
    if (isHowdahError(error, "SERVICE_NOT_FOUND")) return undefined;
    throw error;
  }
}

function differs(view: ServiceView, since: string | undefined): boolean {
  return since !== undefined && since !== `${view.state}|${view.stateDetail ?? ""}`;
}

/** Leaves a race to the others. */
function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
