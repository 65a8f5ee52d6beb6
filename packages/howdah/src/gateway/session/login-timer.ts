/** The time that a client has to prove who it is. It stands still while the client waits for us. */
export class LoginTimer {
  #left: number;
  #since = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    ms: number,
    private readonly onTimeout: () => void,
  ) {
    this.#left = ms;
    this.resume();
  }

  resume(): void {
    if (this.#timer !== null) return;
    this.#since = performance.now();
    this.#timer = setTimeout(this.onTimeout, this.#left);
  }

  pause(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#left = Math.max(1, this.#left - (performance.now() - this.#since));
  }
}
