import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { errnoOf } from "../../kernel/errors.js";
import { type ProcessIdentity, type ProcessInfo, processesNamed, readProcess } from "../../runtime/process/index.js";
import type { ServerObservation, ServerSpec } from "../types.js";
import { readPostmasterFile } from "./postmaster-pid.js";

/** What telling a server's processes from others takes. */
export type ServerPlace = Pick<ServerSpec, "paths" | "uid">;

/** Reads files and processes only; PostgreSQL is not asked. `knownClean`: we stopped it ourselves and saw its end, so
 *  that no look at all processes is needed to say that none is left. */
export async function observeServer(
  spec: ServerPlace,
  options: { readonly knownClean?: boolean } = {},
): Promise<ServerObservation> {
  if (!isComplete(spec)) return { kind: "absent" };
  const found = findPostmaster(spec);
  if (found === null) return { kind: "down", survivors: options.knownClean === true ? [] : findSurvivors(spec, null) };
  const { postmaster, status } = found;
  switch (status) {
    case "ready":
    case "standby":
      return { kind: "ready", postmaster };
    case "stopping":
      return { kind: "stopping", postmaster };
    default:
      return { kind: "starting", postmaster };
  }
}

/** A data directory comes into place by one rename; these two files also tell one that somebody put there by hand. */
export function isComplete(spec: ServerPlace): boolean {
  return existsSync(join(spec.paths.data, "PG_VERSION")) && existsSync(join(spec.paths.data, "global", "pg_control"));
}

/** The running postmaster: the process that `postmaster.pid` names, if it really is one of this data directory. The
 *  number may have been given to another process since. */
export function findPostmaster(spec: ServerPlace) {
  const file = readPostmasterFile(spec);
  if (file === null || file.standalone) return null;
  const info = readProcess(file.pid);
  if (info === null || !isOurs(info, spec)) return null;
  return { postmaster: identityOf(info), status: file.status };
}

/** Server processes of this data directory whose postmaster is gone. With a postmaster: those that are not its own. */
export function findSurvivors(spec: ServerPlace, postmaster: ProcessIdentity | null): ProcessInfo[] {
  const ours = processesNamed("postgres").filter((info) => isOurs(info, spec));
  if (postmaster === null) return ours;
  return ours.filter((info) => info.pid !== postmaster.pid && info.ppid !== postmaster.pid);
}

/**
 * Every server process works in its data directory. Where that may not be read (root in a container without the right
 * to trace), the user decides: as root no two services share one. Links are resolved above the service's folder only:
 * inside, its superuser could make the name of the data a link to another service's, whose processes we would end.
 */
export function isOurs(info: ProcessInfo, spec: ServerPlace): boolean {
  if (info.name !== "postgres") return false;
  if (info.cwd === null) return spec.uid !== null && info.uid === spec.uid;
  const root = realPath(spec.paths.root);
  return root !== null && info.cwd === join(root, basename(spec.paths.data));
}

function identityOf(info: ProcessInfo): ProcessIdentity {
  return { pid: info.pid, startTime: info.startTime };
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}
