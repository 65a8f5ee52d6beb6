import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "./clock.js";
import { HowdahError } from "./errors.js";
import { backoffMs, isRetryable, retry } from "./retry.js";

/** Time that only passes while somebody sleeps. */
function fakeClock(): Clock & { readonly slept: number[] } {
  let now = 1_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

const busy = new HowdahError("SERVICE_BUSY", "busy");
const middle = () => 0.5;

describe("retry", () => {
  test("returns the first success, and counts the attempts", async () => {
    const clock = fakeClock();
    const attempts: number[] = [];
    const result = await retry(
      async (attempt) => {
        attempts.push(attempt);
        if (attempt < 3) throw busy;
        return "done";
      },
      { when: isRetryable, budgetMs: 10_000, clock, random: middle },
    );
    expect(result).toBe("done");
    expect(attempts).toEqual([0, 1, 2, 3]);
    expect(clock.slept).toEqual([10, 20, 40]);
  });

  test("does not wait for an error that waiting cannot cure", async () => {
    const clock = fakeClock();
    const error = new HowdahError("SERVICE_NOT_FOUND", "gone");
    await expect(
      retry(() => Promise.reject(error), { when: isRetryable, budgetMs: 10_000, clock, random: middle }),
    ).rejects.toBe(error);
    expect(clock.slept).toEqual([]);
  });

  test("throws the last error once the budget is spent, and never sleeps beyond it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 5_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (budgetMs, r) => {
          const clock = fakeClock();
          const began = clock.now();
          let count = 0;
          const failing = retry(() => Promise.reject(new HowdahError("TIMEOUT", `attempt ${count++}`)), {
            when: isRetryable,
            budgetMs,
            clock,
            random: () => r,
          });
          await expect(failing).rejects.toThrow(/^attempt \d+$/);
          await expect(failing).rejects.toThrow(`attempt ${count - 1}`);
          expect(count).toBe(clock.slept.length + 1);
          expect(clock.now() - began).toBeLessThanOrEqual(budgetMs);
        },
      ),
    );
  });

  test("an aborted signal ends it with its reason, before or between attempts", async () => {
    const reason = new Error("shutting down");
    const clock = fakeClock();
    const options = { when: isRetryable, budgetMs: 10_000, clock };
    let calls = 0;
    const action = () => {
      calls++;
      return Promise.reject(busy);
    };
    await expect(retry(action, { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(calls).toBe(0);
    const controller = new AbortController();
    const second = retry(
      () => {
        controller.abort(reason);
        return action();
      },
      { ...options, signal: controller.signal },
    );
    await expect(second).rejects.toBe(reason);
    expect(calls).toBe(1);
  });

  test("only an error of ours that the registry calls retryable is one", () => {
    expect(isRetryable(busy)).toBe(true);
    expect(isRetryable(new HowdahError("USAGE", "x"))).toBe(false);
    expect(isRetryable(new Error("busy"))).toBe(false);
    expect(isRetryable(undefined)).toBe(false);
  });
});

describe("backoff", () => {
  test("doubles up to its limit, within a quarter of it", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, r) => {
        const base = Math.min(1_000, 10 * 2 ** attempt);
        const ms = backoffMs(attempt, 10, 1_000, () => r);
        expect(ms).toBeGreaterThanOrEqual(Math.round(base * 0.75));
        expect(ms).toBeLessThanOrEqual(Math.round(base * 1.25));
      }),
    );
  });
});

describe("the system's clock", () => {
  test("a sleep is ended by its signal, with the signal's own reason", async () => {
    const reason = new Error("enough");
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await systemClock.sleep(1);
  });
});
