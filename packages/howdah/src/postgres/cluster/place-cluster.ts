import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { chownTree } from "../../runtime/process/index.js";
import { syncPath } from "../distribution/engine-tree.js";

/** Whether there is a finished cluster. Ours come into being by one rename, so one of their files stands for all. */
export function isCluster(dataDir: string): boolean {
  return existsSync(join(dataDir, "PG_VERSION"));
}

/** Gives a finished cluster to the service's user and moves it to its place, durably. Until the last step it lies in a
 *  folder that sweeping removes. Throws INITDB_FAILED when something else is in the place. */
export async function placeCluster(made: string, dataDir: string, uid: number | null): Promise<void> {
  if (uid !== null) await chownTree(made, uid, uid);
  try {
    await rename(made, dataDir);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== "ENOTEMPTY" && errno !== "EEXIST" && errno !== "ENOTDIR") throw error;
    throw new HowdahError("INITDB_FAILED", `'${dataDir}' is not empty and holds no PostgreSQL cluster`, {
      cause: error,
      hint: "Move away what is in that folder; nothing was changed.",
    });
  }
  await syncPath(dirname(dataDir));
}
