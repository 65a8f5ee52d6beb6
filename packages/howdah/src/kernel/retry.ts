import { type Clock, systemClock } from "./clock.js";
import { HowdahError } from "./errors.js";

export interface RetryOptions {
  readonly when: (error: unknown) => boolean;
  /** No new attempt is begun once this much time has passed since the first. */
  readonly budgetMs: number;
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** In [0, 1); injected in tests. */
  readonly random?: () => number;
}

export function isRetryable(error: unknown): boolean {
  return error instanceof HowdahError && error.spec.retryable;
}

/** Exponential backoff: attempt 0 waits about `minMs`, each further one twice as long, at most `maxMs`, ±25 % jitter. */
export function backoffMs(attempt: number, minMs: number, maxMs: number, random: () => number = Math.random): number {
  const base = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return Math.round(base * (0.75 + random() * 0.5));
}

/** Runs `action` until it succeeds, throws something that `when` does not admit, or the budget is spent; then the last error. */
export async function retry<T>(action: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const clock = options.clock ?? systemClock;
  const began = clock.now();
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await action(attempt);
    } catch (error) {
      const waitMs = backoffMs(attempt, options.minDelayMs ?? 10, options.maxDelayMs ?? 1_000, options.random);
      if (!options.when(error) || clock.now() + waitMs - began > options.budgetMs) throw error;
      await clock.sleep(waitMs, options.signal);
    }
  }
}
