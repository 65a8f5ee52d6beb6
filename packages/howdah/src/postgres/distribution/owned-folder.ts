import { createHash, randomBytes } from "node:crypto";
import { existsSync, lchownSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { errnoOf } from "../../kernel/errors.js";
import {
  listProcesses,
  type ProcessInfo,
  readProcess,
  removeTree,
  signalProcess,
  waitForExit,
} from "../../runtime/process/index.js";

/**
 * Folders that hold unfinished work, named after the process that works in them: `.make.<pid>.<start>.<random>`.
 *
 * A finished result leaves such a folder by one rename. If its process was killed, the name alone tells that the
 * content is rubbish, also when the number has been given to another process since: the start time is in the name.
 */
const NAME = /^\.[a-z]+\.(\d+)\.([0-9a-f]{12})\.[0-9a-f]{12}$/;
const END_TIMEOUT_MS = 2_000;

/** Makes a folder of our own in `parent`. `mode` is set at creation (less the umask). */
export async function makeOwnedFolder(parent: string, prefix: string, mode = 0o700): Promise<string> {
  const path = ownedPath(parent, prefix);
  await mkdir(path, { mode });
  return path;
}

/** A path in `parent` that does not exist and that sweeping counts as ours: the target of a rename. */
export function ownedPath(parent: string, prefix: string): string {
  return join(parent, `.${prefix}.${process.pid}.${ownerMark(process.pid)}.${randomBytes(6).toString("hex")}`);
}

/** Removes the folders of processes that are gone, with whatever still runs in them. Returns how many. */
export async function sweepOwnedFolders(parent: string): Promise<number> {
  let swept = 0;
  for (const name of await namesIn(parent)) {
    const match = NAME.exec(name);
    if (!match || ownerMark(Number(match[1])) === match[2]) continue;
    await removeOwnedFolder(join(parent, name));
    swept++;
  }
  return swept;
}

/** Removes a folder in which something may still run or write. */
export async function removeOwnedFolder(folder: string): Promise<void> {
  reclaim(folder);
  const deadline = performance.now() + END_TIMEOUT_MS;
  do {
    await endProcessesIn(folder);
    await removeTree(folder);
    // One that was just being started escapes a single look, and writes again.
  } while ((existsSync(folder) || processesIn(folder).length > 0) && performance.now() < deadline);
}

/** Shuts out the account that was lent to a program: it cannot put a link in our way while root walks the folder. */
export function reclaim(folder: string): void {
  const uid = process.geteuid?.();
  if (uid === 0 && existsSync(folder)) lchownSync(folder, uid, process.getegid?.() ?? uid);
}

/** Names in a folder; none when it does not exist. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function ownerMark(pid: number): string | null {
  const found = readProcess(pid);
  return found === null ? null : createHash("sha256").update(found.startTime).digest("hex").slice(0, 12);
}

/** Ends what a killed process left at work in its folder (npm, initdb): it would go on writing behind the removal.
 *  Looks until nothing is found, since what was found may have started something else meanwhile. */
async function endProcessesIn(folder: string): Promise<void> {
  const deadline = performance.now() + END_TIMEOUT_MS;
  let left = processesIn(folder);
  while (left.length > 0 && performance.now() < deadline) {
    for (const found of left) signalProcess(found, "SIGKILL", { group: true });
    await Promise.all(left.map((found) => waitForExit(found, END_TIMEOUT_MS)));
    left = processesIn(folder);
  }
}

/** By working directory; Linux tells of a removed one with " (deleted)" behind it. */
function processesIn(folder: string): ProcessInfo[] {
  return listProcesses().filter(
    ({ cwd }) => cwd === folder || cwd === `${folder} (deleted)` || cwd?.startsWith(folder + sep),
  );
}
