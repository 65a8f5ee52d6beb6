import type { GatewayNotices } from "../link/contract.js";

/** More than this in a second are guesses, and control has other things to do. */
const MAX_A_SECOND = 20;

/** Requests to cancel that fit no session here, on their way to older workers; a stranger can send any number of them. */
export class StrayCancels {
  readonly #tell: (notice: GatewayNotices["cancel"]) => void;
  #second = 0;
  #told = 0;

  constructor(tell: (notice: GatewayNotices["cancel"]) => void) {
    this.#tell = tell;
  }

  add(request: GatewayNotices["cancel"], nowMs = Date.now()): void {
    // No process has such a number, and control takes whoever says so for an attacker.
    if (request.pid < 1) return;
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) this.#told = 0;
    this.#second = second;
    if (this.#told++ < MAX_A_SECOND) this.#tell(request);
  }
}
