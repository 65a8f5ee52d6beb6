import { spawn } from "node:child_process";
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { HowdahError } from "../../kernel/errors.js";
import { inPlaceOfInherited } from "./inherited-descriptors.js";
import { readProcess } from "./processes.js";
import type { ProcessIdentity } from "./types.js";
import { noticeExit } from "./watch-exit.js";

export interface DetachedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** With `gid`: the user to run as; only root may name another. All supplementary groups are dropped then. */
  readonly uid: number | null;
  readonly gid: number | null;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Appended to; made with mode 0600, owned by this process's user. Both may name the same file. */
  readonly stdoutPath: string;
  readonly stderrPath: string;
}

/**
 * Starts a program in a session of its own that outlives this process. Its output goes into files: a pipe would break
 * when we end, and a full one would block it. Resolves once it was executed; rejects with the system's error
 * (ENOENT, EACCES, …) when it could not be.
 */
export async function spawnDetached(o: DetachedCommand): Promise<ProcessIdentity> {
  const stdout = openLog(o.stdoutPath);
  const stderr = o.stderrPath === o.stdoutPath ? stdout : openLog(o.stderrPath);
  try {
    const child = spawn(o.command, o.args, {
      cwd: o.cwd,
      env: o.env,
      detached: true,
      stdio: ["ignore", stdout, stderr, ...inPlaceOfInherited(stderr)],
      ...(o.uid === null ? {} : { uid: o.uid, gid: o.gid ?? o.uid }),
    });
    const { pid } = child;
    if (pid === undefined) {
      return await new Promise((_, reject) => child.once("error", reject));
    }
    child.once("exit", () => noticeExit(pid));
    child.unref();
    // Not reaped before this turn of the loop ends, so even a program that ended at once can still be read.
    return { pid, startTime: startTimeOf(pid) };
  } finally {
    closeSync(stdout);
    if (stderr !== stdout) closeSync(stderr);
  }
}

function startTimeOf(pid: number): string {
  // A zombie reads as gone; its identity then matches nothing alive, which is right.
  return readProcess(pid)?.startTime ?? "ended";
}

/** The folder may be another user's, who puts something of the file's name there: a link to one of ours, which would be
 *  written to, or a pipe, whose opening would wait for ever. */
function openLog(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  const stat = fstatSync(fd);
  if (stat.isFile() && stat.nlink === 1) return fd;
  closeSync(fd);
  throw new HowdahError("HOME_UNUSABLE", `'${path}' is not a plain file of one name`, {
    hint: "Somebody put another file or a link in its place; remove it.",
  });
}
