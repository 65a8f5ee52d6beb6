import type { KeeperOrder, ListenerHandle, ToKeeper, ToWorker } from "./keeper-messages.js";

/** A keeper that takes longer is stopped or stuck; what it was told reaches it all the same. */
const PATIENCE_MS = 1_000;

export interface KeeperLineOptions {
  readonly onMessage: (message: KeeperOrder, handle: unknown) => void;
  /** The keeper died: nobody can take this worker's listeners over any more. */
  readonly onGone: () => void;
}

/** A worker's line to its parent. The keeper is trusted: it says what `ToWorker` says. */
export class KeeperLine {
  #keeper: number | null = process.connected ? process.ppid : null;
  #turn = 0;
  readonly #waiting = new Map<number, () => void>();

  constructor(o: KeeperLineOptions) {
    process.on("message", (message: ToWorker, handle) => {
      if (message.say === "done") this.#waiting.get(message.turn)?.();
      else o.onMessage(message, handle);
    });
    process.once("disconnect", () => {
      this.#keeper = null;
      for (const done of [...this.#waiting.values()]) done();
      o.onGone();
    });
  }

  /** Its process, null when it is gone. */
  get keeper(): number | null {
    return this.#keeper;
  }

  /** Resolves when the keeper holds the listener, or is gone. */
  hold(service: number, handle: ListenerHandle): Promise<void> {
    return this.#inTurn((turn) => this.say({ say: "hold", service, turn }, handle));
  }

  /** Resolves when the keeper has closed what it held for the service, or is gone. */
  drop(service: number): Promise<void> {
    return this.#inTurn((turn) => this.say({ say: "drop", service, turn }));
  }

  /** Said to nobody when it is gone, which 'disconnect' tells. */
  say(message: ToKeeper, handle?: ListenerHandle): void {
    // Node passes raw handles as they are; its types do not know.
    if (process.connected) process.send?.(message, handle as never, {}, () => undefined);
  }

  #inTurn(say: (turn: number) => void): Promise<void> {
    if (this.#keeper === null) return Promise.resolve();
    const turn = ++this.#turn;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(turn);
        resolve();
      };
      const timer = setTimeout(done, PATIENCE_MS);
      this.#waiting.set(turn, done);
      say(turn);
    });
  }
}
