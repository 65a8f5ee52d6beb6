import type { ChildProcess } from "node:child_process";
import { chownSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { minimalEnvironment } from "../../kernel/environment.js";
import { HowdahError } from "../../kernel/errors.js";
import { removeTree, requireFreeSpace, serviceAccount } from "../../runtime/process/index.js";
import { makeOwnedFolder, reclaim, removeOwnedFolder } from "../distribution/owned-folder.js";
import { runProgram } from "../distribution/run-program.js";
import type { Distribution } from "../types.js";
import { initdbArguments } from "./initdb-arguments.js";

/** An empty cluster takes 40 MB, with `--wal-segsize=1024` a gigabyte more; leave some to live with. */
const CLUSTER_BYTES = 128 * 1024 ** 2;

export interface MadeCluster extends AsyncDisposable {
  /** The finished data directory, to be renamed away. Owned by the account that initdb ran as. */
  readonly data: string;
}

/**
 * Runs initdb in a private folder of `poolDir`. Disposing removes what is left there; after a kill, sweeping does.
 *
 * initdb refuses to run as root and looks its user up in /etc/passwd, so root lends it the account `howdah`, or
 * `nobody`; only that account can enter the folder meanwhile. initdb syncs all it wrote before it ends (measured: no
 * difference to `--no-sync` on an SSD, 430 to 560 ms either way), and a rename follows, so a finished name on disk
 * always stands for finished content; we never skip that.
 *
 * Throws INITDB_FAILED with initdb's own words, DISK_FULL, INVALID_INPUT, or the signal's reason.
 */
export async function makeCluster(o: {
  readonly distribution: Distribution;
  readonly poolDir: string;
  readonly initdbArgs: readonly string[];
  readonly signal?: AbortSignal;
  readonly onSpawn?: (child: ChildProcess) => void;
}): Promise<MadeCluster> {
  const { distribution, poolDir } = o;
  const account = process.geteuid?.() === 0 ? serviceAccount() : null;
  // Asked for first: a wrong argument must not look like a full disk.
  initdbArguments({ major: distribution.major, dataDir: poolDir, userArgs: o.initdbArgs });
  await mkdir(poolDir, { recursive: true, mode: 0o711 });
  await requireFreeSpace(poolDir, CLUSTER_BYTES);
  const folder = await makeOwnedFolder(poolDir, "make");
  try {
    if (account !== null) chownSync(folder, account.uid, account.gid);
    const data = join(folder, "data");
    const args = initdbArguments({ major: distribution.major, dataDir: data, userArgs: o.initdbArgs });
    const result = await runProgram(join(distribution.binDir, "initdb"), args, {
      cwd: folder,
      env: minimalEnvironment(),
      uid: account?.uid ?? null,
      gid: account?.gid ?? null,
      signal: o.signal,
      ...(o.onSpawn === undefined ? {} : { onSpawn: o.onSpawn }),
    });
    if (result.code !== 0) throw initdbFailure(distribution, result.stderr, result.code ?? result.killedBy);
    reclaim(folder);
    return { data, [Symbol.asyncDispose]: () => removeTree(folder) };
  } catch (error) {
    await removeOwnedFolder(folder);
    throw error;
  }
}

/** Picks initdb's own complaint out of what it wrote on standard error. */
export function initdbFailure(distribution: Distribution, stderr: string, ending: number | string | null): HowdahError {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (/No space left on device|Disk quota exceeded/i.test(stderr)) {
    return new HowdahError("DISK_FULL", "the disk became full while initdb made the cluster", {
      fields: { output: lines },
    });
  }
  const said = lines.findLast((line) => /(FATAL|PANIC|error):/.test(line)) ?? lines.at(-1) ?? `it ended with ${ending}`;
  const hint = lines.findLast((line) => /hint:/i.test(line))?.replace(/^.*hint:\s*/i, "");
  const message = said.replace(/^initdb: error: /, "").replace(/^.*\b(FATAL|PANIC):\s*/, "");
  return new HowdahError("INITDB_FAILED", `initdb of PostgreSQL ${distribution.version} failed: ${message}`, {
    fields: { output: lines },
    ...(hint === undefined ? {} : { hint }),
  });
}
