/** The two files that the control process leaves for people: who it is (server.json) and what it said (server.log). */
import { copyFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { errnoOf } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";

const MAX_LOG_BYTES = 16 * 1024 ** 2;
const LOOK_EVERY_MS = 600_000;

export interface ServerInfo {
  readonly pid: number;
  readonly url: string;
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly started_at: string;
}

/** Never half-written: readers see the old file or the new one. Called under the home's lock, so the draft is ours. */
export async function writeServerInfo(path: string, info: ServerInfo): Promise<void> {
  const draft = `${path}.tmp`;
  try {
    // What a killed server left.
    await rm(draft, { force: true });
    await writeFile(draft, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

export async function removeServerInfo(path: string): Promise<void> {
  await rm(path, { force: true });
}

/**
 * Keeps the log from filling the disk: above 16 MiB it is copied to `.1` and emptied. Emptied, not renamed, because
 * the file is held open by whoever started this process, who appends to it.
 */
export async function boundLog(path: string, maxBytes = MAX_LOG_BYTES): Promise<void> {
  try {
    if ((await stat(path)).size <= maxBytes) return;
  } catch (error) {
    // In the foreground, or under systemd, there is no such file.
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  await copyFile(path, `${path}.1`);
  await truncate(path);
}

/** Looks now and then; `dispose` ends it. */
export function keepLogBounded(path: string, log: Logger): Disposable {
  const look = () => {
    boundLog(path).catch((error: unknown) => {
      log.warn({ errno: errnoOf(error) }, "unable to shorten the log");
    });
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
