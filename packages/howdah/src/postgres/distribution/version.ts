import { stat } from "node:fs/promises";
import { join } from "node:path";
import { minimalEnvironment } from "../../kernel/environment.js";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { runProgram } from "./run-program.js";

const VERSION = /^postgres \(PostgreSQL\) (\d+)\.(\d+)/;
const seen = new Map<string, { readonly stamp: string; readonly version: string }>();

/**
 * What `postgres --version` says, as `18.4`. Remembered until the file changes, so that a system's package upgrade
 * is noticed and a listing costs no process. Throws the system's error when there is no such file, ENGINE_CORRUPT
 * or PLATFORM_UNSUPPORTED when it does not run.
 */
export async function readVersion(binDir: string): Promise<string> {
  const program = join(binDir, "postgres");
  const { mtimeMs, ino, size } = await stat(program);
  const stamp = `${mtimeMs} ${ino} ${size}`;
  const known = seen.get(program);
  if (known?.stamp === stamp) return known.version;
  const version = await askVersion(binDir, program);
  seen.set(program, { stamp, version });
  return version;
}

async function askVersion(binDir: string, program: string): Promise<string> {
  const result = await runProgram(program, ["--version"], { cwd: binDir, env: minimalEnvironment() }).catch(
    (error: unknown) => {
      if (errnoOf(error) !== "EACCES") throw cannotRun(program, errnoOf(error) ?? String(error), error);
      throw new HowdahError("HOME_UNUSABLE", `programs cannot be run from '${binDir}'`, {
        cause: error,
        hint: "Set HOWDAH_HOME to a folder on a filesystem that is not mounted noexec.",
      });
    },
  );
  const match = VERSION.exec(result.stdout);
  if (result.code === 0 && match) return `${match[1]}.${match[2]}`;
  const reason = result.stderr.trim().split("\n")[0] || `it ended with ${result.code ?? result.killedBy}`;
  throw cannotRun(program, reason);
}

function cannotRun(program: string, reason: string, cause?: unknown): HowdahError {
  // "version `GLIBC_2.28' not found" and its like: the file is whole, this system is too old for it.
  if (/GLIBC|dyld|Exec format|ENOEXEC/i.test(reason)) {
    return new HowdahError("PLATFORM_UNSUPPORTED", `'${program}' does not run on this system: ${reason}`, { cause });
  }
  return new HowdahError("ENGINE_CORRUPT", `'${program}' does not run: ${reason}`, { cause });
}
