import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import type { ProcessInfo } from "./types.js";

/** Processes where there is no /proc (macOS): `ps`, and `lsof` for working directories. Slower, same answers. */
const FIELDS = "pid=,ppid=,pgid=,uid=,stat=,lstart=,comm=";
const LINE = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.+?)\s*$/;

type Row = Omit<ProcessInfo, "cwd">;

/** Parses one line of `ps -o pid=,ppid=,pgid=,uid=,stat=,lstart=,comm=`; null for a zombie or anything else. */
export function parsePsLine(line: string): Row | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const [, pid, ppid, group, uid, stat = "", startTime = "", command = ""] = match;
  if (stat.startsWith("Z")) return null;
  return {
    pid: Number(pid),
    ppid: Number(ppid),
    group: Number(group),
    uid: Number(uid),
    startTime: startTime.replace(/\s+/g, " "),
    name: basename(command),
  };
}

export function readPsProcess(pid: number): ProcessInfo | null {
  const row = parsePsLine(run("ps", ["-o", FIELDS, "-p", String(pid)]));
  return row === null ? null : { ...row, cwd: psWorkingDirectory(pid) };
}

export function listPsProcesses(): Row[] {
  return run("ps", ["-axo", FIELDS])
    .split("\n")
    .map(parsePsLine)
    .filter((row) => row !== null);
}

export function psWorkingDirectory(pid: number): string | null {
  const line = run("lsof", ["-a", "-d", "cwd", "-p", String(pid), "-Fn"])
    .split("\n")
    .find((l) => l.startsWith("n"));
  return line?.slice(1) ?? null;
}

function run(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    // Both exit with 1 when the process is gone or may not be seen, which is the answer.
    return "";
  }
}
