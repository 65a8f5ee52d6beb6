/** Randomness that can be had again: the seed is printed, and HOWDAH_TEST_SEED repeats a run. */
export class Seeded {
  readonly seed: number;
  #state: number;

  constructor(name: string) {
    this.seed = Number(process.env["HOWDAH_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    this.#state = this.seed;
    console.log(`${name}: seed ${this.seed} (HOWDAH_TEST_SEED=${this.seed} repeats it)`);
  }

  /** In [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  pick<const T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.next() * items.length)] ?? items[0];
  }
}
