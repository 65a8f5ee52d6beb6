import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./installation.js";

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The ordinary user that `.ci/run` makes; undefined where there is none. */
export function ordinaryUser(): User | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((l) => l.startsWith("howdahtest:"));
  const [name, , uid, gid, , home] = line?.split(":") ?? [];
  if (name === undefined || uid === undefined || gid === undefined || home === undefined) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

/** The built checkout, copied to where a test wants it (under a private home, or where an ordinary user may read it).
 *  Returns the path of its command line. */
export function copyCheckout(to: string, mode: number): string {
  mkdirSync(join(to, "packages"), { recursive: true, mode });
  chmodSync(to, mode);
  if (!existsSync(join(REPOSITORY, "packages/howdah/dist"))) throw new Error("run 'npm run build' first");
  for (const part of ["package.json", "node_modules", "packages/howdah", "packages/client"]) {
    execFileSync("cp", ["-a", "--reflink=auto", join(REPOSITORY, part), join(to, part)]);
  }
  execFileSync("chmod", ["-R", "a+rX", join(to, "packages"), join(to, "node_modules")]);
  return join(to, "packages/howdah/bin/howdah.js");
}
