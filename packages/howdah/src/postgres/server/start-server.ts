import { existsSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HowdahError, isHowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import { isSocketFolderReady, prepareServiceFolders } from "../../runtime/home.js";
import { chownTree, waitForExit } from "../../runtime/process/index.js";
import type { ServerSpec, StartResult } from "../types.js";
import {
  type ConfigurationTexts,
  HBA_FILES,
  hold,
  holdData,
  requestedSettings,
  writeConfiguration,
} from "./configuration.js";
import { describeDifference, putBack, readLastGood, saveLastGood, settleNote, takeBack } from "./last-good.js";
import { type Launched, launch } from "./launch.js";
import { pruneLogs } from "./log-files.js";
import { findPostmaster, isComplete } from "./observe-server.js";
import { ownerOf, readPostmasterFile } from "./postmaster-pid.js";
import { removeStaleSockets } from "./sockets.js";
import { endSurvivors } from "./survivors.js";
import { untilReady, watchData } from "./until-ready.js";

export interface StartOptions {
  readonly log: Logger;
  readonly signal?: AbortSignal;
  /** This process stopped the server itself, in order, and saw its end (`StopResult.clean`), and did nothing to its
   *  folders since. Makes a start quicker, never less safe. */
  readonly knownClean?: boolean;
}

/**
 * Brings the server up, or takes over the one that runs. Idempotent; a crash at any point is repaired by calling it
 * again, and an aborted start leaves no process.
 *
 * Throws POSTGRES_START_FAILED, HOME_UNUSABLE, DISK_FULL, VERSION_CHANGE_REFUSED, ENGINE_CORRUPT, or the signal's reason.
 */
export async function startServer(spec: ServerSpec, o: StartOptions): Promise<StartResult> {
  o.signal?.throwIfAborted();
  try {
    return (await startAtOnce(spec, o)) ?? (await startWithCare(spec, o));
  } catch (error) {
    if (errnoOf(error) !== "ENOSPC") throw error;
    throw new HowdahError("DISK_FULL", `no space is left for the files of server '${spec.title}'`, { cause: error });
  }
}

/**
 * For a server of which nothing but its files can be left: nothing is looked for, repaired or tidied up before it is
 * spawned. Where that was a mistake, PostgreSQL's own lock file still keeps a second server out of the data; then, as
 * with anything else that fails here, the long way is gone. null: the long way it is.
 */
async function startAtOnce(spec: ServerSpec, o: StartOptions): Promise<StartResult | null> {
  if (o.knownClean !== true || !isSocketFolderReady(spec.paths, spec)) return null;
  // A postmaster that ended in order took its file away.
  if (existsSync(join(spec.paths.data, "postmaster.pid"))) return null;
  try {
    const present = writeConfiguration(spec);
    const launched = await launch(spec, requestedSettings(present), o.signal);
    return started(spec, launched, present);
  } catch (error) {
    o.signal?.throwIfAborted();
    o.log.warn({ server: spec.title, err: error }, "a quick start failed, looking closer");
    return null;
  }
}

async function startWithCare(spec: ServerSpec, o: StartOptions): Promise<StartResult> {
  if (!isComplete(spec)) {
    throw new HowdahError("POSTGRES_START_FAILED", `server '${spec.title}' has no data directory`, {
      hint: "Put it back from a copy, or remove the service.",
    });
  }
  await prepareServiceFolders(spec.paths, spec);
  return (await adopt(spec, o)) ?? (await start(spec, o));
}

function started(
  spec: ServerSpec,
  { postmaster, durationMs }: Launched,
  present: ConfigurationTexts | null,
): StartResult {
  if (present !== null) saveLastGood(spec, present);
  return { postmaster, refused: settleNote(spec, postmaster), durationMs: Math.round(durationMs) };
}

/** The server that runs already, once it is ready; null when there is none (any more). */
async function adopt(spec: ServerSpec, o: StartOptions): Promise<StartResult | null> {
  for (let found = findPostmaster(spec); found !== null; found = findPostmaster(spec)) {
    const { postmaster, status } = found;
    using changes = watchData(spec);
    // A stop cannot be undone.
    if (status === "stopping") await untilGone(postmaster, o);
    else if (await untilReady(spec, postmaster, o.signal, changes)) {
      return { postmaster, refused: settleNote(spec, postmaster), durationMs: 0 };
    }
  }
  return null;
}

async function untilGone(postmaster: { pid: number; startTime: string }, o: StartOptions): Promise<void> {
  while (!(await waitForExit(postmaster, 100))) o.signal?.throwIfAborted();
}

async function start(spec: ServerSpec, o: StartOptions): Promise<StartResult> {
  await endSurvivors(spec, o.log);
  await takeOwnership(spec, o.log);
  checkVersion(spec);
  removeRecycledPidFile(spec, o.log);
  removeStaleSockets(spec);
  pruneLogs(spec.paths);
  const present = writeConfiguration(spec);
  const launched = await launchOrFallBack(spec, present, o);
  return started(spec, launched, launched.fellBack ? null : present);
}

async function launchOrFallBack(
  spec: ServerSpec,
  present: ConfigurationTexts,
  o: StartOptions,
): Promise<Launched & { fellBack: boolean }> {
  try {
    return { ...(await launch(spec, requestedSettings(present), o.signal)), fellBack: false };
  } catch (error) {
    // Anything else is not about settings; neither is the abort of a caller.
    if (!isHowdahError(error, "POSTGRES_START_FAILED")) throw error;
    const good = readLastGood(spec);
    const refused = good === null ? [] : describeDifference(good, present);
    if (good === null || refused.length === 0) throw error;
    o.log.warn({ server: spec.title, refused, err: error }, "start failed, trying the last good settings");
    takeBack(spec, present, good, refused);
    try {
      const requested = requestedSettings({ ...present, ...good });
      return { ...(await launch(spec, requested, o.signal)), fellBack: true };
    } catch (again) {
      putBack(spec, present, good);
      // Aborted, no socket, disk full: say that. Otherwise the first failure is the one to tell.
      throw isHowdahError(again, "POSTGRES_START_FAILED") ? error : again;
    }
  }
}

/**
 * Healing a role hands the data to another account for a moment, and a crash in there is put right here; so is the
 * folder of a service that got another user. The data come last: as long as they are the other's, the work is not done.
 */
async function takeOwnership(spec: ServerSpec, log: Logger): Promise<void> {
  const { paths, uid } = spec;
  if (uid === null || ownerOf(paths.data) === uid) return;
  log.warn({ server: spec.title }, "data directory belongs to another user, taking it over");
  using root = hold(paths.root, uid);
  // Written anew below.
  for (const name of HBA_FILES) root.remove(name);
  for (const folder of [paths.log, paths.lastGood, paths.data]) await chownTree(folder, uid, uid);
}

function checkVersion(spec: ServerSpec): void {
  using data = holdData(spec);
  const version = data.read("PG_VERSION", 64)?.trim();
  if (version === String(spec.distribution.major)) return;
  throw new HowdahError(
    "VERSION_CHANGE_REFUSED",
    `the data of server '${spec.title}' was made by PostgreSQL ${version}, it cannot run under ${spec.distribution.major}`,
  );
}

/**
 * PostgreSQL takes a lock file for valid when any process of that number and user lives, and also when it is dead and
 * only waits for its parent to ask: after a crash of control that is process 1, which in a container may never do so.
 * Everything that works in this folder was ended before, so whoever has the number is a stranger or a zombie, and only
 * then is the file removed; else it is PostgreSQL's to judge.
 */
function removeRecycledPidFile(spec: ServerSpec, log: Logger): void {
  const file = readPostmasterFile(spec);
  if (file === null || !isNumberTaken(file.pid)) return;
  log.warn({ server: spec.title, pid: file.pid }, "postmaster.pid names a process that is no server of ours");
  using data = holdData(spec);
  data.remove("postmaster.pid");
}

/** Also by a zombie, which `readProcess` counts as gone. */
function isNumberTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}
