import { type FSWatcher, watch } from "node:fs";
import { isAlive, type ProcessIdentity, signalProcess, waitForExit } from "../../runtime/process/index.js";
import { findSurvivors, type ServerPlace } from "./observe-server.js";
import { readPostmasterFile } from "./postmaster-pid.js";

/** A start takes 15 to 20 ms; a recovery that takes seconds is looked at less often. */
const EAGER_MS = 1_000;
const EAGER_PAUSE_MS = 1;
const PAUSE_MS = 10;
const ABANDON_MS = 5_000;

/** Tells that `postmaster.pid` may have changed. */
export interface DataChanges extends Disposable {
  /** Resolves at the next change, after `ms` at the latest. */
  next(ms: number): Promise<void>;
}

/**
 * The system's notices about the data directory, so that a server is known to be ready when it says so and not only at
 * the next look. Nothing relies on them: where there are none (a limit on watches is reached, the folder is gone), time
 * passes instead.
 */
export function watchData(spec: ServerPlace): DataChanges {
  let changed = false;
  let tell: () => void = () => undefined;
  const watcher = tryWatch(spec.paths.data, (name) => {
    if (name !== "postmaster.pid") return;
    changed = true;
    tell();
  });
  return {
    next: (ms) =>
      new Promise((resolve) => {
        if (changed) {
          changed = false;
          // Not at once: other work gets its turn, however often the file changes.
          setImmediate(resolve);
          return;
        }
        const timer = setTimeout(resolve, ms);
        tell = () => {
          changed = false;
          clearTimeout(timer);
          resolve();
        };
      }),
    [Symbol.dispose]: () => watcher?.close(),
  };
}

function tryWatch(path: string, onChange: (name: string | null) => void): FSWatcher | null {
  try {
    const watcher = watch(path, { persistent: false }, (_, name) => onChange(name));
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    // Looking now and then does as well.
    return null;
  }
}

/** True as soon as the postmaster says so in its file, false when it ended. Throws the signal's reason when aborted; no
 *  process is left then. */
export async function untilReady(
  spec: ServerPlace,
  postmaster: ProcessIdentity,
  signal: AbortSignal | undefined,
  changes: DataChanges,
): Promise<boolean> {
  const began = performance.now();
  for (;;) {
    const file = readPostmasterFile(spec);
    if (file?.pid === postmaster.pid && (file.status === "ready" || file.status === "standby")) return true;
    if (!isAlive(postmaster)) return false;
    if (signal?.aborted) {
      await abandon(spec, postmaster);
      throw signal.reason;
    }
    await changes.next(performance.now() - began < EAGER_MS ? EAGER_PAUSE_MS : PAUSE_MS);
  }
}

/** An immediate shutdown: nothing was served yet, and recovery is simply done again. The log collector goes last. */
async function abandon(spec: ServerPlace, postmaster: ProcessIdentity): Promise<void> {
  signalProcess(postmaster, "SIGQUIT");
  if (!(await waitForExit(postmaster, ABANDON_MS))) {
    signalProcess(postmaster, "SIGKILL");
    await waitForExit(postmaster, ABANDON_MS);
  }
  await Promise.all(findSurvivors(spec, null).map((info) => waitForExit(info, ABANDON_MS)));
}
