import { lstatSync } from "node:fs";
import type { ServiceLayout } from "../../runtime/layout.js";
import { HeldFolder } from "../../runtime/process/index.js";
import { LOG_FILE_BYTES, LOG_FILE_PREFIX } from "../settings/index.js";
import { ownerOf } from "./postmaster-pid.js";

/** What the server writes before its log collector runs, and what others write to its standard error. Made anew at
 *  each start. */
export const START_LOG = "start.log";

/** PostgreSQL begins new log files but never removes one: this many bytes, and files, of a service are kept. */
const KEEP_BYTES = 10 * LOG_FILE_BYTES;
const KEEP_FILES = 200;

/** null when the service has no log folder (yet). */
export function holdLogFolder(paths: ServiceLayout): HeldFolder | null {
  return HeldFolder.open(paths.log, ownerOf(paths.root));
}

/** The names of log files, oldest first. The start's own output stands before the files that were written to after it. */
export function logFileNames(folder: HeldFolder): string[] {
  const names = folder.names();
  const collected = names.filter((name) => name.startsWith(LOG_FILE_PREFIX)).sort();
  if (!names.includes(START_LOG)) return collected;
  const started = modified(folder, START_LOG);
  const next = collected.findIndex((name) => modified(folder, name) >= started);
  return collected.toSpliced(next < 0 ? collected.length : next, 0, START_LOG);
}

function modified(folder: HeldFolder, name: string): number {
  return lstatSync(folder.at(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/**
 * Removes the oldest log files beyond 100 MB or 200 files, never the two newest, one of which is being written.
 * Called before each start; to be called now and then while servers run. Returns how many were removed.
 */
export function pruneLogs(paths: ServiceLayout, keep = { bytes: KEEP_BYTES, files: KEEP_FILES }): number {
  using folder = holdLogFolder(paths);
  if (folder === null) return 0;
  const newestFirst = logFileNames(folder)
    .filter((name) => name !== START_LOG)
    .reverse();
  let bytes = 0;
  let removed = 0;
  newestFirst.forEach((name, i) => {
    bytes += lstatSync(folder.at(name), { throwIfNoEntry: false })?.size ?? 0;
    if (i < 2 || (bytes <= keep.bytes && i < keep.files)) return;
    folder.remove(name);
    removed++;
  });
  return removed;
}
