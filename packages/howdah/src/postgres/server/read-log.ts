import { closeSync, fstatSync, readSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ServiceLayout } from "../../runtime/layout.js";
import type { HeldFolder } from "../../runtime/process/index.js";
import { holdLogFolder, logFileNames } from "./log-files.js";
import { parseLogLine, type ServerLogLine } from "./log-line.js";

const LOOK_EVERY_MS = 200;
const CHUNK_BYTES = 256 * 1024;
/** The service's user owns these files, and may make them of any size without using the disk: this much is read of the
 *  end of each, and of all together. PostgreSQL's own are rotated at 10 MB. */
const FILE_BYTES = 16 * 1024 ** 2;
const ALL_BYTES = 64 * 1024 ** 2;
/** Of a longer line the beginning is shown. */
const LINE_BYTES = 1024 ** 2;

export interface ReadLogOptions {
  /** How many of the latest entries to begin with. */
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** The log of a server, oldest first, across rotation; with `follow` on and on until the signal is aborted (which ends
 *  it without an error). A service without logs has none, and with `follow` they are waited for. */
export async function* readLog(paths: ServiceLayout, options: ReadLogOptions): AsyncGenerator<ServerLogLine> {
  const tails = new Map<string, Tail>();
  yield* latest(paths, options.lines, tails);
  while (options.follow && !options.signal.aborted) {
    await delay(LOOK_EVERY_MS, undefined, { signal: options.signal }).catch((error: unknown) => {
      if (!options.signal.aborted) throw error;
    });
    yield* news(paths, tails);
  }
}

/** All whole lines of one file, of a large one the last 16 MB; none when there is no such file. */
export function readLogFile(folder: HeldFolder, name: string): ServerLogLine[] {
  return new Tail().read(folder, name);
}

/** The last entries, read from the newest file backwards. Notes how far each file was read. */
function latest(paths: ServiceLayout, count: number, tails: Map<string, Tail>): ServerLogLine[] {
  using folder = holdLogFolder(paths);
  if (folder === null) return [];
  let entries: ServerLogLine[] = [];
  let bytes = 0;
  for (const name of logFileNames(folder).reverse()) {
    const tail = new Tail();
    tails.set(name, tail);
    // Older files are only passed over then: a follower must not take them for news.
    if (entries.length >= count || bytes >= ALL_BYTES) tail.skip(folder, name);
    else entries = [...tail.read(folder, name), ...entries];
    bytes += tail.bytesRead;
  }
  return count === 0 ? [] : entries.slice(-count);
}

function news(paths: ServiceLayout, tails: Map<string, Tail>): ServerLogLine[] {
  using folder = holdLogFolder(paths);
  if (folder === null) return [];
  const names = logFileNames(folder);
  for (const gone of [...tails.keys()].filter((name) => !names.includes(name))) tails.delete(gone);
  return names.flatMap((name) => {
    const tail = tails.get(name) ?? new Tail();
    tails.set(name, tail);
    return tail.read(folder, name);
  });
}

/** How far one file was read. Only whole lines count: the writer may be in the middle of one. */
class Tail {
  bytesRead = 0;
  #inode = 0;
  #offset = 0;
  #rest = Buffer.alloc(0);
  /** The beginning of the line at hand was passed over, or told already. */
  #inLongLine = false;

  skip(folder: HeldFolder, name: string): void {
    this.#open(folder, name, (_, size) => {
      this.#offset = size;
    });
  }

  read(folder: HeldFolder, name: string): ServerLogLine[] {
    const entries: ServerLogLine[] = [];
    this.#open(folder, name, (fd, size) => {
      if (size - this.#offset > FILE_BYTES) {
        this.#offset = size - FILE_BYTES;
        this.#rest = Buffer.alloc(0);
        this.#inLongLine = true;
      }
      while (this.#offset < size) {
        const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - this.#offset));
        const length = readSync(fd, chunk, 0, chunk.length, this.#offset);
        if (length === 0) return;
        this.#offset += length;
        this.bytesRead += length;
        for (const entry of this.#lines(chunk.subarray(0, length))) entries.push(entry);
      }
    });
    return entries;
  }

  #open(folder: HeldFolder, name: string, work: (fd: number, size: number) => void): void {
    const fd = folder.openFile(name);
    if (fd === null) return;
    try {
      const { ino, size } = fstatSync(fd);
      if (ino !== this.#inode || size < this.#offset) {
        this.#offset = 0;
        this.#rest = Buffer.alloc(0);
        this.#inLongLine = false;
      }
      this.#inode = ino;
      work(fd, size);
    } finally {
      closeSync(fd);
    }
  }

  #lines(chunk: Buffer): ServerLogLine[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    const lines = bytes.toString("utf8", 0, end).split("\n");
    if (this.#inLongLine && end > 0) {
      lines.shift();
      this.#inLongLine = false;
    }
    this.#rest = bytes.subarray(end);
    if (this.#rest.length > LINE_BYTES) {
      if (!this.#inLongLine) lines.push(this.#rest.toString("utf8", 0, LINE_BYTES));
      this.#rest = Buffer.alloc(0);
      this.#inLongLine = true;
    }
    return lines.map(parseLogLine).filter((entry) => entry !== null);
  }
}
