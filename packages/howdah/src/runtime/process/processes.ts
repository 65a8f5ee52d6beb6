import { spawn } from "node:child_process";
import { once } from "node:events";
import { errnoOf } from "../../kernel/errors.js";
import { linuxKinship, linuxName, linuxPids, linuxStartTime, readLinuxProcess } from "./linux-table.js";
import { listPsProcesses, psWorkingDirectory, readPsProcess } from "./ps-table.js";
import type { ProcessIdentity, ProcessInfo } from "./types.js";

/**
 * Who runs, and who still is who. A number alone is not a process: numbers are reused (from 32768 on some machines),
 * so whoever signals by number may hit a stranger. Everything here goes by number and start time.
 */
const isLinux = process.platform === "linux";

/** The process of that number, or null where there is none. A zombie counts as gone. */
export function readProcess(pid: number): ProcessInfo | null {
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return isLinux ? readLinuxProcess(pid) : readPsProcess(pid);
}

export function isAlive(identity: ProcessIdentity): boolean {
  const { pid, startTime } = identity;
  if (!Number.isInteger(pid) || pid <= 0) return false;
  return (isLinux ? linuxStartTime(pid) : readPsProcess(pid)?.startTime) === startTime;
}

/** Every process that this user may see. */
export function listProcesses(): ProcessInfo[] {
  if (!isLinux) return listPsProcesses().map((row) => ({ ...row, cwd: psWorkingDirectory(row.pid) }));
  return linuxPids()
    .map(readLinuxProcess)
    .filter((info) => info !== null);
}

/** Processes of that executable name; much cheaper than listing all, since most are passed over by their name. */
export function processesNamed(name: string): ProcessInfo[] {
  if (!isLinux) {
    const rows = listPsProcesses().filter((row) => row.name === name);
    return rows.map((row) => ({ ...row, cwd: psWorkingDirectory(row.pid) }));
  }
  return linuxPids()
    .filter((pid) => linuxName(pid) === name)
    .map(readLinuxProcess)
    .filter((info) => info !== null);
}

/** Processes that run as a service's user, or in the group of the same number, of whatever name; and, found in the same
 *  look at all of them, those of one executable name that `also` accepts. */
export function processesOf(
  uid: number,
  also: { readonly name: string; accepts(info: ProcessInfo): boolean } | null = null,
): ProcessInfo[] {
  if (!isLinux) {
    const isIt = (info: ProcessInfo) => also !== null && info.name === also.name && also.accepts(info);
    return listProcesses().filter((info) => info.uid === uid || isIt(info));
  }
  const found: ProcessInfo[] = [];
  for (const pid of linuxPids()) {
    const { name, belongs } = linuxKinship(pid, uid);
    if (!belongs && (also === null || name !== also.name)) continue;
    const info = readLinuxProcess(pid);
    if (info !== null && (belongs || also?.accepts(info) === true)) found.push(info);
  }
  return found;
}

/**
 * Kills every process of the user at once, as root: the kernel lets none escape by becoming another just then, which
 * one by one is easy for a process that forks and ends without pause. Nothing happens when there is none.
 */
export async function killAllOf(uid: number): Promise<void> {
  // `kill -1` means all that the caller may signal, but not itself.
  const child = spawn("/bin/sh", ["-c", "kill -KILL -1"], { cwd: "/", uid, gid: uid, stdio: "ignore", env: {} });
  await once(child, "exit");
}

/** Signals exactly this process. Returns false when it is gone, also when its number is somebody else's now.
 *  With `group`, the process group that it leads gets the signal as well. Throws EPERM for a process of another user. */
export function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  options: { group?: boolean } = {},
): boolean {
  const info = readProcess(identity.pid);
  if (info === null || info.startTime !== identity.startTime) return false;
  try {
    process.kill(options.group === true && info.group === info.pid ? -info.pid : info.pid, signal);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
    throw error;
  }
}
