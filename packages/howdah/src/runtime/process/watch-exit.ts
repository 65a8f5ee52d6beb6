import { closeSync, openSync, readSync } from "node:fs";
import { parseStat } from "./linux-table.js";
import { isAlive } from "./processes.js";
import type { ProcessIdentity } from "./types.js";

/**
 * Tells when a process ends, whether it is a child of ours or was adopted. One timer serves all of them. On Linux each
 * keeps its /proc/<pid>/stat open: such a descriptor belongs to that one process for ever, so a reused number cannot
 * deceive it, and a look costs one read.
 */
const PERIOD_MS = process.platform === "linux" ? 100 : 150;

interface Watch {
  readonly identity: ProcessIdentity;
  readonly fd: number | null;
  readonly onExit: () => void;
}

const watches = new Set<Watch>();
let timer: NodeJS.Timeout | undefined;

/** Calls `onExit` once, never synchronously, when the process is gone (at once when it already is). Returns what
 *  ends the watch. The watch alone does not keep this process alive. */
export function watchExit(identity: ProcessIdentity, onExit: () => void): () => void {
  const watch = add(identity, onExit);
  if (!isAlive(identity)) setImmediate(() => finish(watch));
  return () => drop(watch);
}

/** The same for who looks by himself: `look` tells it there and then, synchronously, when the process is gone. */
export function beginWatch(identity: ProcessIdentity, onExit: () => void): { look(): void; end(): void } {
  const watch = add(identity, onExit);
  return { look: () => look(watch), end: () => void drop(watch) };
}

function add(identity: ProcessIdentity, onExit: () => void): Watch {
  const watch: Watch = { identity, fd: openStat(identity), onExit };
  watches.add(watch);
  timer ??= setInterval(lookAtAll, PERIOD_MS).unref();
  return watch;
}

/** A child's end is known before the timer comes round. */
export function noticeExit(pid: number): void {
  for (const watch of [...watches]) if (watch.identity.pid === pid) look(watch);
}

function lookAtAll(): void {
  for (const watch of [...watches]) look(watch);
}

function look(watch: Watch): void {
  if (watches.has(watch) && !stillRuns(watch)) finish(watch);
}

function finish(watch: Watch): void {
  if (drop(watch)) watch.onExit();
}

function drop(watch: Watch): boolean {
  if (!watches.delete(watch)) return false;
  if (watch.fd !== null) closeSync(watch.fd);
  if (watches.size === 0) {
    clearInterval(timer);
    timer = undefined;
  }
  return true;
}

const buffer = Buffer.alloc(1024);

function stillRuns(watch: Watch): boolean {
  if (watch.fd === null) return isAlive(watch.identity);
  try {
    const length = readSync(watch.fd, buffer, 0, buffer.length, 0);
    const stat = parseStat(buffer.toString("latin1", 0, length));
    return stat !== null && stat.state !== "Z" && stat.state !== "X";
  } catch {
    // ESRCH: the process that this descriptor belongs to is gone.
    return false;
  }
}

function openStat(identity: ProcessIdentity): number | null {
  if (process.platform !== "linux") return null;
  try {
    const fd = openSync(`/proc/${identity.pid}/stat`, "r");
    // Opened first, compared then: from here on the descriptor cannot come to mean another process.
    if (isAlive(identity)) return fd;
    closeSync(fd);
  } catch {
    // Gone already; the caller is told by the look that follows.
  }
  return null;
}
