import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { minimalEnvironment } from "../../kernel/environment.js";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import {
  isAlive,
  type ProcessIdentity,
  signalProcess,
  spawnDetached,
  waitForExit,
} from "../../runtime/process/index.js";
import { ownedSettings, toArguments } from "../settings/index.js";
import type { ServerSpec } from "../types.js";
import { hold, readConfiguration, requestedSettings } from "./configuration.js";
import { logFileNames, START_LOG } from "./log-files.js";
import type { ServerLogLine } from "./log-line.js";
import { findSurvivors } from "./observe-server.js";
import { readPostmasterFile } from "./postmaster-pid.js";
import { readLogFile } from "./read-log.js";
import { startFailure } from "./start-failure.js";

/** The log collector lives on until it has written everything; only then is the reason on disk. */
const COLLECTOR_MS = 2_000;
/** A start makes one file of JSON and one of plain text. */
const COLLECTOR_FILES = 2;

export interface Launched {
  readonly postmaster: ProcessIdentity;
  readonly durationMs: number;
}

/** Starts a postmaster and waits until it is ready, for as long as its recovery takes. Throws what `startFailure` makes
 *  of its log when it ends before that, and the signal's reason when aborted; no process is left then. */
export async function launch(spec: ServerSpec, signal: AbortSignal | undefined): Promise<Launched> {
  const began = performance.now();
  const beganAt = new Date().toISOString();
  const postmaster = await spawnPostmaster(spec);
  if (await untilReady(spec, postmaster, signal)) return { postmaster, durationMs: performance.now() - began };
  throw startFailure(spec, await lastWords(spec, beganAt));
}

async function spawnPostmaster(spec: ServerSpec): Promise<ProcessIdentity> {
  using log = hold(spec.paths.log, spec.uid);
  log.remove(START_LOG);
  const output = log.at(START_LOG);
  const command = join(spec.distribution.binDir, "postgres");
  const requested = requestedSettings(readConfiguration(spec));
  try {
    return await spawnDetached({
      command,
      args: ["-D", spec.paths.data, ...toArguments(ownedSettings(spec, requested))],
      cwd: spec.paths.data,
      uid: spec.uid,
      gid: spec.uid,
      env: minimalEnvironment(),
      stdoutPath: output,
      stderrPath: output,
    });
  } catch (error) {
    const why = errnoOf(error) === "ENOENT" ? "it does not exist" : `${errnoOf(error) ?? error}`;
    throw new HowdahError("ENGINE_CORRUPT", `'${command}' cannot be run: ${why}`, { cause: error });
  }
}

/**
 * True as soon as the postmaster says so in its file, false when it ended. The file is looked at every millisecond or
 * two, since that is how quick a start is; a recovery that takes seconds is looked at less often.
 */
export async function untilReady(
  spec: ServerSpec,
  postmaster: ProcessIdentity,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const began = performance.now();
  for (;;) {
    const file = readPostmasterFile(spec);
    if (file?.pid === postmaster.pid && (file.status === "ready" || file.status === "standby")) return true;
    if (!isAlive(postmaster)) return false;
    if (signal?.aborted) {
      await abandon(postmaster);
      throw signal.reason;
    }
    await delay(performance.now() - began < 1_000 ? 1 : 10);
  }
}

/** An immediate shutdown: nothing was served yet, and recovery is simply done again. */
async function abandon(postmaster: ProcessIdentity): Promise<void> {
  signalProcess(postmaster, "SIGQUIT");
  if (await waitForExit(postmaster, 5_000)) return;
  signalProcess(postmaster, "SIGKILL");
  await waitForExit(postmaster, 5_000);
}

/** What this start wrote: its own output, which was made anew, and what the collector wrote from then on. */
async function lastWords(spec: ServerSpec, since: string): Promise<ServerLogLine[]> {
  await Promise.all(findSurvivors(spec, null).map((info) => waitForExit(info, COLLECTOR_MS)));
  using folder = hold(spec.paths.log, spec.uid);
  const collected = logFileNames(folder)
    .filter((name) => name !== START_LOG)
    .slice(-COLLECTOR_FILES)
    .flatMap((name) => readLogFile(folder, name))
    .filter(({ at }) => at !== null && at >= since);
  return [...readLogFile(folder, START_LOG), ...collected];
}
