import { setTimeout as delay } from "node:timers/promises";

/** Time as a port, so that tests of backoff and expiry need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // Node wraps the reason into an AbortError of its own.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
