import { within } from "./within.js";

/** A fixed number of places, given out in the order in which they were asked for. */
export class Line {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  /** Rejects like `within`, and then holds no place. */
  async enter(o: { ms: number; signal: AbortSignal }): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    let granted: () => void = () => undefined;
    const place = new Promise<void>((resolve) => {
      granted = resolve;
    });
    this.#waiting.add(granted);
    try {
      await within(place, o);
    } catch (error) {
      // Granted in the very moment in which it was given up: the next one gets it.
      if (!this.#waiting.delete(granted)) this.leave();
      throw error;
    }
  }

  leave(): void {
    for (const granted of this.#waiting) {
      this.#waiting.delete(granted);
      granted();
      return;
    }
    this.#free += 1;
  }
}
