import { lstatSync } from "node:fs";
import { errnoOf } from "../../kernel/errors.js";
import { HeldFolder } from "../../runtime/process/index.js";
import type { ServerSpec } from "../types.js";

/** What the postmaster writes about itself into `postmaster.pid` (miscadmin.h, LOCK_FILE_LINE_*). */
export interface PostmasterFile {
  /** Negative numbers, of single-user mode, are made positive. */
  readonly pid: number;
  readonly standalone: boolean;
  /** Line 8; "" as long as it has not been written. */
  readonly status: "" | "starting" | "ready" | "standby" | "stopping";
}

/** null for a file that is empty or no such file; the postmaster makes it before it writes it. */
export function parsePostmasterPid(text: string): PostmasterFile | null {
  const lines = text.split("\n");
  const pid = Number.parseInt(lines[0] ?? "", 10);
  if (!Number.isInteger(pid) || pid === 0) return null;
  const word = lines[7]?.trim() ?? "";
  const status = (["starting", "ready", "standby", "stopping"] as const).find((s) => s === word) ?? "";
  return { pid: Math.abs(pid), standalone: pid < 0, status };
}

type Paths = Pick<ServerSpec, "paths">;

/** The file as it is; whether its process lives, and is a postmaster, is another question. */
export function readPostmasterFile(spec: Paths & Pick<ServerSpec, "uid">): PostmasterFile | null {
  using data = HeldFolder.open(spec.paths.data, dataOwner(spec));
  return data === null ? null : parsePostmasterPid(data.read("postmaster.pid", 1_024) ?? "");
}

/** The number in `postmaster.pid`, for show only: it may be that of a server which is gone. */
export function readPostmasterPid(paths: Paths["paths"]): number | null {
  return readPostmasterFile({ paths, uid: ownerOf(paths.root) })?.pid ?? null;
}

/** Who owns the data right now: the service's user, or the service account while a broken role is being healed. */
function dataOwner(spec: Paths & Pick<ServerSpec, "uid">): number | null {
  return spec.uid === null ? null : (ownerOf(spec.paths.data) ?? spec.uid);
}

/** null when there is nothing. */
export function ownerOf(path: string): number | null {
  try {
    return lstatSync(path).uid;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}
