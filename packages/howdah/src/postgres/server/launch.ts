import { join } from "node:path";
import { minimalEnvironment } from "../../kernel/environment.js";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { type ProcessIdentity, requireFreeSpace, spawnDetached, waitForExit } from "../../runtime/process/index.js";
import type { Settings } from "../../spec/index.js";
import { hasPreloadLibrary } from "../distribution/index.js";
import { ownedSettings, preloadSettings, toArguments } from "../settings/index.js";
import type { ServerSpec } from "../types.js";
import { hold } from "./configuration.js";
import { logFileNames, START_LOG } from "./log-files.js";
import type { ServerLogLine } from "./log-line.js";
import { findSurvivors } from "./observe-server.js";
import { readLogFile } from "./read-log.js";
import { startFailure } from "./start-failure.js";
import { untilReady, watchData } from "./until-ready.js";

/** The log collector lives on until it has written everything; only then is the reason on disk. */
const COLLECTOR_MS = 2_000;
/** A start makes one file of JSON and one of plain text. */
const COLLECTOR_FILES = 2;
/** A server that finds less than this cannot even write why it ended. */
const ROOM_FOR_WORDS = 64 * 1024;

export interface Launched {
  readonly postmaster: ProcessIdentity;
  readonly durationMs: number;
}

/** Starts a postmaster and waits until it is ready, for as long as its recovery takes. When it ends before that, throws
 *  what `startFailure` makes of its log, or DISK_FULL when it had no room to say why; when aborted, the signal's reason. No
 *  process is left then. `requested`: what its configuration files ask for. */
export async function launch(
  spec: ServerSpec,
  requested: Settings,
  signal: AbortSignal | undefined,
): Promise<Launched> {
  const began = performance.now();
  const beganAt = new Date().toISOString();
  using changes = watchData(spec);
  const postmaster = await spawnPostmaster(spec, requested);
  if (await untilReady(spec, postmaster, signal, changes)) return { postmaster, durationMs: performance.now() - began };
  const words = await lastWords(spec, beganAt);
  if (!words.some(({ level }) => level === "FATAL" || level === "PANIC")) {
    await requireFreeSpace(spec.paths.log, ROOM_FOR_WORDS);
  }
  throw startFailure(spec, words);
}

async function spawnPostmaster(spec: ServerSpec, requested: Settings): Promise<ProcessIdentity> {
  using log = hold(spec.paths.log, spec.uid);
  log.remove(START_LOG);
  const output = log.at(START_LOG);
  const command = join(spec.distribution.binDir, "postgres");
  const settings = {
    ...ownedSettings(spec, requested),
    ...preloadSettings(
      spec.preload.filter((name) => hasPreloadLibrary(spec.distribution, name)),
      requested,
    ),
  };
  try {
    return await spawnDetached({
      command,
      args: ["-D", spec.paths.data, ...toArguments(settings)],
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
