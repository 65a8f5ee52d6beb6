import type { ProcessIdentity } from "./types.js";
import { beginWatch } from "./watch-exit.js";

/** A server stops within ten milliseconds, and a client may be waiting for that; later nobody is in such a hurry. */
const EAGER_MS = 100;
const isLinux = process.platform === "linux";

/** Resolves true as soon as the process is gone, false after the timeout. Of a child of ours the system tells it at
 *  once; other processes are looked at every millisecond to begin with. */
export function waitForExit(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const began = performance.now();
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    const end = (gone: boolean) => {
      over = true;
      clearTimeout(timer);
      watch.end();
      resolve(gone);
    };
    const watch = beginWatch(identity, () => end(true));
    const look = () => {
      watch.look();
      if (over) return;
      const waited = performance.now() - began;
      if (waited >= timeoutMs) return end(false);
      timer = setTimeout(look, Math.min(timeoutMs - waited, pauseAfter(waited)));
    };
    look();
  });
}

/** Elsewhere than on Linux each look starts a program. */
function pauseAfter(waitedMs: number): number {
  if (isLinux) return waitedMs < EAGER_MS ? 1 : 20;
  return waitedMs < EAGER_MS ? 10 : 100;
}
