import { closeSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { errnoOf } from "../../kernel/errors.js";
import type { ProcessInfo } from "./types.js";

/**
 * Processes as Linux's /proc tells them. Reads are synchronous: procfs answers from memory within microseconds,
 * and a detour through the thread pool would cost more than it saves.
 */
export interface Stat {
  readonly name: string;
  readonly state: string;
  readonly ppid: number;
  readonly group: number;
  readonly startTime: string;
}

/** Parses /proc/<pid>/stat. The name stands in parentheses and may itself hold spaces and parentheses. */
export function parseStat(text: string): Stat | null {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return null;
  const rest = text.slice(close + 2).split(" ");
  const [state, ppid, group] = rest;
  const startTime = rest[19];
  if (state === undefined || startTime === undefined) return null;
  return { name: text.slice(open + 1, close), state, ppid: Number(ppid), group: Number(group), startTime };
}

export function readLinuxProcess(pid: number): ProcessInfo | null {
  const stat = parseStat(readProc(pid, "stat") ?? "");
  // A zombie has ended; only its parent has not asked yet.
  if (stat === null || stat.state === "Z" || stat.state === "X") return null;
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readProc(pid, "status") ?? "")?.[1];
  if (uid === undefined) return null;
  return {
    pid,
    startTime: stat.startTime,
    ppid: stat.ppid,
    group: stat.group,
    name: stat.name,
    cwd: linuxWorkingDirectory(pid),
    uid: Number(uid),
  };
}

/** null where the process is gone or its directory may not be read (another user's process, or a container without
 *  the right to trace). A removed directory ends in " (deleted)". */
function linuxWorkingDirectory(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

export function linuxPids(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0);
}

/** When the process of that number began, null where there is none (a zombie counts as gone). One read. */
export function linuxStartTime(pid: number): string | null {
  const stat = parseStat(readProc(pid, "stat") ?? "");
  return stat === null || stat.state === "Z" || stat.state === "X" ? null : stat.startTime;
}

/** Name of a process without the rest, for searches over all of them. */
export function linuxName(pid: number): string | null {
  return readProc(pid, "comm")?.trimEnd() ?? null;
}

/**
 * Name of a process, and whether it runs as the user or is in the group of the same number. Any of the real, effective
 * and saved numbers counts, and they are read from the kernel's own text: the owner of the folder in /proc is root for a
 * program that may not be read, or that has set-user-id, so it would hide a process that wants to be hidden.
 */
export function linuxKinship(pid: number, id: number): { name: string | null; belongs: boolean } {
  const status = readProc(pid, "status");
  const [, name = null, users = "", groups = ""] = KINSHIP.exec(status ?? "") ?? [];
  const wanted = String(id);
  const belongs = [users, groups].some((numbers) => numbers.split(/\s+/).includes(wanted));
  return { name, belongs };
}

/** The name is escaped there, so it cannot hold a line break. */
const KINSHIP = /^Name:\t(.*)\n[\s\S]*?^Uid:\s*(.*)\nGid:\s*(.*)$/m;

/** What we look for stands in the first lines, so one read of this much will do. */
const buffer = Buffer.alloc(4_096);

/** Half the system calls of readFileSync: a look at all processes makes this call for each. */
function readProc(pid: number, file: string): string | null {
  let fd: number | undefined;
  try {
    fd = openSync(`/proc/${pid}/${file}`, "r");
    return buffer.toString("latin1", 0, readSync(fd, buffer, 0, buffer.length, 0));
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function isUnreadable(error: unknown): boolean {
  return ["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(errnoOf(error) ?? "");
}
