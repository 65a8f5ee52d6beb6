import { join } from "node:path";
import { namesIn, removeOwnedFolder } from "../distribution/owned-folder.js";

const PREFIX = "init-";

/** A folder for one run of init scripts, in the service's own. `mark`: makes it another one each time. */
export function runFolder(serviceRoot: string, mark: string): string {
  return join(serviceRoot, PREFIX + mark);
}

/**
 * Takes away what a killed control left of runs of init scripts. A `.sh` script outlives it, and would go on, with the
 * same password, in the server that is made in the place of the half-initialised one.
 */
export async function discardRuns(serviceRoot: string): Promise<void> {
  for (const name of await namesIn(serviceRoot)) {
    if (name.startsWith(PREFIX)) await removeOwnedFolder(join(serviceRoot, name));
  }
}
