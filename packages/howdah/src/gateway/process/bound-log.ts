/** Synchronous and small, for the keeper: the worker may not open the log, and control may be away for weeks. */
import { copyFileSync, statSync, truncateSync } from "node:fs";

const MAX_LOG_BYTES = 16 * 1024 ** 2;

/** Above 16 MiB the log is copied to `.1` and emptied; not renamed, because every process of the gateway has it open
 *  and appends to it. Throws the system's error. */
export function boundLog(path: string, maxBytes = MAX_LOG_BYTES): void {
  // In a test, or by hand, the output may go elsewhere.
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.size <= maxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}
