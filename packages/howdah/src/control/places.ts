/**
 * How many services are worked on at a time, so that a machine with many is not buried when all start. It is a matter
 * of load, not of right: a place is held for a while only, since a server may recover for hours, or, in the hands of a
 * superuser who means ill, never get ready; a few of those must not keep all other services waiting.
 */
const HELD_MS = 60_000;

export class Places {
  #free: number;
  readonly #heldMs: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number, heldMs = HELD_MS) {
    this.#free = size;
    this.#heldMs = heldMs;
  }

  /** Does the work when a place is free; goes on with it, without one, when it takes long. */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let held = true;
    const giveBack = () => {
      if (held) this.#next();
      held = false;
    };
    const timer = setTimeout(giveBack, this.#heldMs);
    timer.unref();
    try {
      await work();
    } finally {
      clearTimeout(timer);
      giveBack();
    }
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
