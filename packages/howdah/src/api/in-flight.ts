import type { RequestListener } from "node:http";

/** Counts requests from their head to the end of their answers, so that the state is not closed under their feet. */
export class InFlight {
  #count = 0;
  #drained: (() => void) | undefined;

  /** A listener that counts what passes through it, but for paths that themselves wait for the end. */
  counting(listener: RequestListener, except: (path: string) => boolean): RequestListener {
    return (request, response) => {
      if (!except(request.url ?? "")) {
        this.#count++;
        response.once("close", () => {
          this.#count--;
          if (this.#count === 0) this.#drained?.();
        });
      }
      listener(request, response);
    };
  }

  /** Resolves when nothing is under way, at the latest after `graceMs`. */
  drained(graceMs: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#drained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
