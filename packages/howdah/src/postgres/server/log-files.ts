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

/** The names of log files, oldest first. The start's own output stands where it belongs by its time. */
export function logFileNames(folder: HeldFolder): string[] {
  const names = folder.names().filter((name) => name.startsWith(LOG_FILE_PREFIX) || name === START_LOG);
  const key = (name: string) => (name === START_LOG ? startLogKey(folder) : name);
  return names
    .map((name) => ({ name, key: key(name) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ name }) => name);
}

function startLogKey(folder: HeldFolder): string {
  const time = lstatSync(folder.at(START_LOG), { throwIfNoEntry: false })?.mtime ?? new Date(0);
  const [day = "", clock = ""] = time.toISOString().replace(/[-:]/g, "").slice(0, 15).split("T");
  return `${LOG_FILE_PREFIX}${day}-${clock}`;
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
