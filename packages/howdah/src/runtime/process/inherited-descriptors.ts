import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { errnoOf } from "../../kernel/errors.js";

/**
 * Open files that whoever started us left open for us (a shell, a CI runner), besides the first three. Node closes its
 * own files in every program that it starts, but not these; a server that outlives us would hold them for ever, and
 * whoever waits for the end of such a pipe would wait as long.
 */
function inheritedDescriptors(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fdinfo")
    .map(Number)
    .filter((fd) => fd > 2 && !closesOnExec(fd));
}

/** Further `stdio` of a child: the given file stands in the place of each that we inherited, since there is no way to
 *  just close one in the child. */
export function inPlaceOfInherited(fd: number): ("ignore" | number)[] {
  const inherited = new Set(inheritedDescriptors());
  const last = Math.max(2, ...inherited);
  return Array.from({ length: last - 2 }, (_, i) => (inherited.has(i + 3) ? fd : "ignore"));
}

const O_CLOEXEC = 0o2000000;

/** The flags stand in the first lines. Read with as few calls as can be: every start of a server looks at all files. */
const buffer = Buffer.alloc(512);

function closesOnExec(fd: number): boolean {
  try {
    const info = openSync(`/proc/self/fdinfo/${fd}`, "r");
    let text: string;
    try {
      text = buffer.toString("latin1", 0, readSync(info, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(info);
    }
    const flags = /^flags:\s+([0-7]+)$/m.exec(text)?.[1] ?? "0";
    return (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch (error) {
    // The descriptor of the listing itself is closed by now.
    if (errnoOf(error) === "ENOENT") return true;
    throw error;
  }
}
