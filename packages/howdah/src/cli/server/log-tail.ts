import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const TAIL_BYTES = 16 * 1024;

/** Opens the server's log for appending; `size` tells where a new server's own words begin. */
export function openServerLog(path: string): { fd: number; size: number } {
  const fd = openSync(path, "a", 0o600);
  return { fd, size: fstatSync(fd).size };
}

/** The last lines that were written behind `from`, in the words of people: of JSON lines only level and message. */
export function logTail(path: string, from: number, lines: number): string[] {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    // The server empties a log that grows too large: then everything in it is new.
    const start = Math.max(from > size ? 0 : from, size - TAIL_BYTES, 0);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    const length = readSync(fd, buffer, 0, buffer.length, start);
    const text = buffer.toString("utf8", 0, length);
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-lines)
      .map(readable);
  } finally {
    closeSync(fd);
  }
}

function readable(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const entry = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } };
    const cause = typeof entry.err?.message === "string" ? `: ${entry.err.message}` : "";
    return typeof entry.msg === "string" ? `${entry.msg}${cause}` : line;
  } catch {
    // Cut off in the middle, or not JSON at all: shown as it is.
    return line;
  }
}
