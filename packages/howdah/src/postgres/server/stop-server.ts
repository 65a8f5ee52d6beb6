import { HowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import { signalProcess, waitForExit } from "../../runtime/process/index.js";
import type { ServerSpec } from "../types.js";
import { findPostmaster } from "./observe-server.js";
import { readPostmasterFile } from "./postmaster-pid.js";
import { endSurvivors } from "./survivors.js";

export interface StopOptions {
  /** fast: sessions are ended, a checkpoint is written. immediate: as a crash, recovered at the next start. */
  readonly mode: "fast" | "immediate";
  /** How long a fast stop may take before it is made an immediate one. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** An immediate stop takes milliseconds; the postmaster itself kills children that do not heed it after 5 s. */
const IMMEDIATE_MS = 10_000;

/** The log collector reads to the end of its pipe, which is there when the last other process has gone. */
const COLLECTOR_MS = 1_000;

export interface StopResult {
  /** The server was running, ended by itself in order and left nothing to repair: `knownClean` for the next start. */
  readonly clean: boolean;
}

/** Stops the server; nothing happens when it does not run. No process of it is left. Throws POSTGRES_STOP_FAILED. */
export async function stopServer(
  spec: Pick<ServerSpec, "paths" | "uid" | "title">,
  o: StopOptions,
): Promise<StopResult> {
  const postmaster = findPostmaster(spec)?.postmaster;
  let endedBy: NodeJS.Signals | null = null;
  if (postmaster !== undefined) {
    const steps = [
      ...(o.mode === "fast" ? [{ signal: "SIGINT", timeoutMs: o.timeoutMs } as const] : []),
      { signal: "SIGQUIT", timeoutMs: IMMEDIATE_MS } as const,
      { signal: "SIGKILL", timeoutMs: IMMEDIATE_MS } as const,
    ];
    let stopped = false;
    for (const [i, { signal, timeoutMs }] of steps.entries()) {
      if (i > 0) o.log.warn({ server: spec.title, signal }, "server did not stop in time, stopping it harder");
      signalProcess(postmaster, signal);
      stopped = await waitForExit(postmaster, timeoutMs);
      endedBy = signal;
      if (stopped) break;
    }
    if (!stopped) throw new HowdahError("POSTGRES_STOP_FAILED", `server '${spec.title}' cannot be stopped`);
  }
  const inOrder = endedBy === "SIGINT";
  // One that was killed leaves more than its log collector.
  const ended = await endSurvivors(spec, o.log, inOrder || endedBy === "SIGQUIT" ? COLLECTOR_MS : 0);
  // A postmaster that ends in order takes its file away; one that was killed by somebody else just then does not.
  return { clean: inOrder && ended === 0 && readPostmasterFile(spec) === null };
}
