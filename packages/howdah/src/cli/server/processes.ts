import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type Layout, type ProcessIdentity, processesNamed, readProcess } from "../../runtime/index.js";
import { SUPERVISOR_MARK } from "./supervisor.js";

/** Loops that keep a server of this home alive. There is at most one but for moments. */
export function findSupervisors(home: string): ProcessIdentity[] {
  const loops = processesNamed("sh").filter(({ pid }) => isSupervisor(wordsOf(pid), home));
  // Between fork and exec a loop's child looks like the loop itself, but a signal would end it.
  return loops.filter(({ ppid }) => !loops.some((loop) => loop.pid === ppid));
}

export function isSupervisor(words: readonly string[], home: string): boolean {
  const mark = words.indexOf(SUPERVISOR_MARK);
  if (mark !== -1) return words[mark + 1] === home;
  return words.length === 1 && words[0]?.includes(` ${SUPERVISOR_MARK} ${home} `) === true;
}

/** The control process that last wrote server.json, if it still lives and is no stranger who inherited its number. */
export function findControl(layout: Layout): ProcessIdentity | undefined {
  let pid: unknown;
  try {
    pid = (JSON.parse(readFileSync(layout.serverInfo, "utf8")) as { pid?: unknown }).pid;
  } catch {
    // Not there, or half written at a crash: then nobody is known.
    return undefined;
  }
  if (typeof pid !== "number") return undefined;
  const found = readProcess(pid);
  if (found === null || !/\bserver\b.*\brun\b/s.test(wordsOf(pid).join(" "))) return undefined;
  return found;
}

/** The command line; a single joined word where the system does not tell the words apart. */
function wordsOf(pid: number): string[] {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    return [execFileSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" }).trimEnd()];
  } catch {
    // It ended in between, or is not ours to look at.
    return [];
  }
}
