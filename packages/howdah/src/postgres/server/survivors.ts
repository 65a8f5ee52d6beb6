import { realpathSync } from "node:fs";
import { sep } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import type { Layout } from "../../runtime/layout.js";
import {
  isClaimedBy,
  killAllOf,
  type ProcessInfo,
  processesNamed,
  processesOf,
  signalProcess,
  waitForExit,
} from "../../runtime/process/index.js";
import { findPostmaster, findSurvivors, isOurs, type ServerPlace } from "./observe-server.js";
import { ownerOf } from "./postmaster-pid.js";

/** A backend's handler of SIGQUIT leaves at once, also out of a busy loop; what has not gone by then never will. */
const QUIT_MS = 500;
const KILL_MS = 10_000;

/**
 * Ends the processes that outlived their postmaster. As long as one of them lives, a new postmaster refuses to start
 * ("pre-existing shared memory block is still in use"), and rightly: it would write beside it. As root, what else the
 * service's user left running goes with them. `graceMs`: how long server processes may take to go by themselves, as the
 * log collector does. Returns how many had to be ended. Throws POSTGRES_STOP_FAILED when one cannot be killed.
 */
export async function endSurvivors(
  spec: ServerPlace & { readonly title?: string },
  log: Logger,
  graceMs = 0,
): Promise<number> {
  const postmaster = findPostmaster(spec)?.postmaster ?? null;
  const find = () => {
    // As root nothing else runs under the service's user but what its superuser started there.
    if (postmaster === null && spec.uid !== null)
      return processesOf(spec.uid, { name: "postgres", accepts: (info) => isOurs(info, spec) });
    return findSurvivors(spec, postmaster);
  };
  if (graceMs > 0) {
    const found = find();
    if (found.length === 0) return 0;
    await allGone(
      found.filter(({ name }) => name === "postgres"),
      graceMs,
    );
  }
  return end(find, log, spec.title ?? spec.paths.data);
}

/**
 * Ends everything that runs as a user whose service is being removed, so that nothing of it is left when its files lie
 * in the trash and, later, its number belongs to another service. Only for a number that is the caller's to give.
 */
export async function endProcessesOf(uid: number, log: Logger): Promise<void> {
  await killAllOf(uid);
  // What that may not signal: processes in the user's group only.
  await end(() => processesOf(uid), log, `user ${uid}`);
}

/** Ends servers that nobody keeps any more: those in service folders without a row, and those whose folder lies in the
 *  trash already. Returns the number of processes ended. */
export async function endStrayServers(o: { layout: Layout; known: ReadonlySet<number>; log: Logger }): Promise<number> {
  const { layout, known, log } = o;
  const services = `${realPath(layout.services)}${sep}`;
  const trash = `${realPath(layout.trash)}${sep}`;
  const users = new Set([...known].map((id) => ownerOf(layout.service(id).root)));
  const isStray = async ({ cwd, uid }: ProcessInfo) => {
    // Not to be read by root in a container without the right to trace: then the claim of its user tells. An ordinary
    // user cannot look into other users' processes, among them root's services, and has no business there.
    if (cwd === null) return process.geteuid?.() === 0 && !users.has(uid) && (await isClaimedBy(layout.home, uid));
    if (cwd.startsWith(trash)) return true;
    return cwd.startsWith(services) && !known.has(Number(cwd.slice(services.length).split(sep)[0]));
  };
  const find = async () => {
    const servers = processesNamed("postgres");
    const strays = await Promise.all(servers.map(isStray));
    return servers.filter((_, i) => strays[i]);
  };
  return end(find, log, "servers of no service");
}

async function end(find: () => ProcessInfo[] | Promise<ProcessInfo[]>, log: Logger, title: string): Promise<number> {
  const ended = new Set<number>();
  // Again and again: a postmaster among them may have made another child meanwhile.
  for (let round = 0; round < 10; round++) {
    const found = await find();
    if (found.length === 0) return ended.size;
    for (const info of found) ended.add(info.pid);
    log.warn({ server: title, pids: found.map((p) => p.pid) }, "ending processes that outlived their server");
    // Each leads a group that its own commands (COPY … PROGRAM) belong to.
    for (const info of found) signalProcess(info, "SIGQUIT", { group: true });
    await allGone(found, QUIT_MS);
    for (const info of found) signalProcess(info, "SIGKILL", { group: true });
    await allGone(found, KILL_MS);
  }
  const left = await find();
  if (left.length === 0) return ended.size;
  throw new HowdahError("POSTGRES_STOP_FAILED", `process ${left[0]?.pid} of '${title}' cannot be ended`, {
    hint: "It probably waits for a disk; look at it with 'ps' and repair the disk, or restart the machine.",
  });
}

async function allGone(processes: readonly ProcessInfo[], timeoutMs: number): Promise<void> {
  await Promise.all(processes.map((info) => waitForExit(info, timeoutMs)));
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return path;
    throw error;
  }
}
