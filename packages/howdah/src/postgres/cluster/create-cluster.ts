import type { Logger } from "../../kernel/log.js";
import type { Distribution } from "../types.js";
import { makeCluster } from "./make-cluster.js";
import { isCluster, placeCluster } from "./place-cluster.js";

/**
 * Makes a new cluster at `dataDir` with a real initdb, so with a system identifier of its own. The work is done in
 * `poolDir` (on the same filesystem) and ends with one rename, so a crash leaves nothing that looks finished; where a
 * cluster is already there, an earlier run got that far and nothing is done.
 * `uid`: who shall own it (group of the same number); null: ourselves.
 * Throws INITDB_FAILED with initdb's own words, DISK_FULL, INVALID_INPUT.
 */
export async function createCluster(o: {
  readonly distribution: Distribution;
  readonly poolDir: string;
  readonly dataDir: string;
  readonly uid: number | null;
  /** Words of POSTGRES_INITDB_ARGS. */
  readonly initdbArgs: readonly string[];
  readonly log: Logger;
}): Promise<void> {
  if (isCluster(o.dataDir)) return;
  const began = performance.now();
  await using made = await makeCluster(o);
  await placeCluster(made.data, o.dataDir, o.uid);
  o.log.info({ major: o.distribution.major, durationMs: Math.round(performance.now() - began) }, "cluster initialised");
}
