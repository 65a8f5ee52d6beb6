import type { ListenerHandle, ToKeeper, ToWorker } from "./keeper-messages.js";

/** A worker's line to its parent. The keeper is trusted: it says what `ToWorker` says. */
export class KeeperLine {
  #keeper: number | null = process.connected ? process.ppid : null;

  /** `onGone`: the keeper died; nobody can take this worker's listeners over any more. */
  constructor(o: { onMessage: (message: ToWorker, handle: unknown) => void; onGone: () => void }) {
    process.on("message", (message, handle) => o.onMessage(message as ToWorker, handle));
    process.once("disconnect", () => {
      this.#keeper = null;
      o.onGone();
    });
  }

  /** Its process, null when it is gone. */
  get keeper(): number | null {
    return this.#keeper;
  }

  /** Said to nobody when it is gone, which 'disconnect' tells. */
  say(message: ToKeeper, handle?: ListenerHandle): void {
    // Node passes raw handles as they are; its types do not know.
    if (process.connected) process.send?.(message, handle as never, {}, () => undefined);
  }
}
