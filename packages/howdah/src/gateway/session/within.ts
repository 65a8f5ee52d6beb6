/** Waiting with an end: every await of a session ends when its client goes away, and most when a time is over. */

export class Elapsed extends Error {
  override readonly name = "Elapsed";
  constructor(ms: number) {
    super(`nothing came within ${ms} ms`);
  }
}

/** Resolves or rejects as `work` does; rejects with the signal's reason when it is aborted and with Elapsed when `ms`
 *  have passed. `work` goes on and its late rejection is nobody's. */
export function within<T>(work: Promise<T>, o: { ms: number; signal: AbortSignal }): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      o.signal.removeEventListener("abort", aborted);
    };
    const aborted = () => {
      settle();
      reject(o.signal.reason);
    };
    const timer = setTimeout(
      () => {
        settle();
        reject(new Elapsed(o.ms));
      },
      Math.min(Math.max(0, o.ms), 2 ** 31 - 1),
    );
    work.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
    if (o.signal.aborted) aborted();
    else o.signal.addEventListener("abort", aborted, { once: true });
  });
}
