import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { errnoOf } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import { removeTree } from "../../runtime/process/index.js";
import { syncPath } from "../distribution/engine-tree.js";
import { namesIn, ownedPath, sweepOwnedFolders } from "../distribution/owned-folder.js";
import { readVersion } from "../distribution/version.js";
import type { Distribution } from "../types.js";
import { makeCluster } from "./make-cluster.js";
import { isCluster, placeCluster } from "./place-cluster.js";

/**
 * Clusters initialised beforehand: initdb takes half a second, a rename nothing. Each entry comes from an initdb of
 * its own, since a copy would share its system identifier, by which standbys and backups tell clusters apart.
 *
 *   pool/ready-<kind>-<version>/engine.json     whose programs made them
 *   pool/ready-<kind>-<version>/<random>/       one finished cluster; as root 0700 inside a folder that only root enters
 *   pool/.make.<owner>/data                     initdb at work
 *   pool/.take.<owner>                          claimed, on its way to a service
 *
 * Every step from one to the next is a rename, so two takers never get the same entry, and a kill between any two
 * leaves a finished cluster in its place or a folder that `sweep` knows for rubbish by its name.
 */
export interface ClusterPool {
  /** Moves an entry to `dataDir` and gives it to `uid`. False when there is none; true also when `dataDir` already is
   *  a cluster. Throws INITDB_FAILED when something else is in the place. */
  take(o: {
    readonly distribution: Distribution;
    readonly dataDir: string;
    readonly uid: number | null;
  }): Promise<boolean>;
  /** Asks for the distribution's entries to be made up to the pool's size: in the background, one at a time, with low
   *  priority. A failure goes to `onError` and ends this round; the next call tries again. */
  fill(distribution: Distribution): void;
  /** How many clusters are ready. */
  size(distribution: Distribution): Promise<number>;
  /** Removes what crashes left, entries of engines that are gone or were upgraded, and those beyond the pool's size. */
  sweep(): Promise<void>;
  /** Ends the initdb under way, removes what it made, and makes no more. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly poolDir: string;
  /** Entries kept per distribution; 0: none. */
  readonly size: number;
  readonly log: Logger;
  /** Told of failures in the background, which nobody waits for; without it they are logged. */
  readonly onError?: (error: unknown) => void;
}

const ENGINE_FILE = "engine.json";
const Engine = z.object({ binDir: z.string(), version: z.string() });

export function createPool(options: PoolOptions): ClusterPool {
  return new Pool(options);
}

class Pool implements ClusterPool {
  readonly #options: PoolOptions;
  readonly #closing = new AbortController();
  /** Distributions to be filled, by the name of their folder. */
  readonly #wanted = new Map<string, Distribution>();
  #filling: Promise<void> | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  async take(o: { distribution: Distribution; dataDir: string; uid: number | null }): Promise<boolean> {
    if (isCluster(o.dataDir)) return true;
    const ready = this.#readyFolder(o.distribution);
    for (const name of await entriesOf(ready)) {
      const claimed = ownedPath(this.#options.poolDir, "take");
      try {
        await rename(join(ready, name), claimed);
      } catch (error) {
        if (errnoOf(error) === "ENOENT") continue;
        throw error;
      }
      try {
        await placeCluster(claimed, o.dataDir, o.uid);
        return true;
      } catch (error) {
        await removeTree(claimed);
        throw error;
      }
    }
    return false;
  }

  fill(distribution: Distribution): void {
    if (this.#options.size === 0 || this.#closing.signal.aborted) return;
    this.#wanted.set(readyName(distribution), distribution);
    this.#filling ??= this.#work().finally(() => {
      this.#filling = null;
    });
  }

  async size(distribution: Distribution): Promise<number> {
    return (await entriesOf(this.#readyFolder(distribution))).length;
  }

  async sweep(): Promise<void> {
    const { poolDir, log } = this.#options;
    const swept = await sweepOwnedFolders(poolDir);
    if (swept > 0) log.info({ swept }, "leftovers in the cluster pool removed");
    for (const name of await namesIn(poolDir)) {
      if (!name.startsWith("ready-")) continue;
      const folder = join(poolDir, name);
      const isCurrent = await madeByPresentEngine(folder);
      const entries = await entriesOf(folder);
      for (const entry of isCurrent ? entries.slice(this.#options.size) : entries) {
        await discard(poolDir, join(folder, entry));
      }
      if (!isCurrent) await removeTree(folder);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the cluster pool is closed"));
    this.#wanted.clear();
    await this.#filling;
  }

  async #work(): Promise<void> {
    for (let next = this.#next(); next !== null; next = this.#next()) {
      const [name, distribution] = next;
      try {
        if ((await this.size(distribution)) < this.#options.size) await this.#makeOne(distribution);
        else this.#wanted.delete(name);
      } catch (error) {
        this.#wanted.delete(name);
        if (!this.#closing.signal.aborted) this.#report(error);
      }
    }
  }

  #next(): [string, Distribution] | null {
    const [first] = this.#wanted;
    return first ?? null;
  }

  async #makeOne(distribution: Distribution): Promise<void> {
    const { poolDir, log } = this.#options;
    const began = performance.now();
    const ready = this.#readyFolder(distribution);
    await mkdir(poolDir, { recursive: true, mode: 0o711 });
    await mkdir(ready, { recursive: true, mode: 0o700 });
    await writeEngine(ready, distribution);
    await using made = await makeCluster({
      distribution,
      poolDir,
      initdbArgs: [],
      signal: this.#closing.signal,
      // A service that is just being started must not wait for one that nobody has asked for yet.
      onSpawn: (child) => lowerPriority(child.pid),
    });
    await rename(made.data, join(ready, randomBytes(8).toString("hex")));
    await syncPath(ready);
    const durationMs = Math.round(performance.now() - began);
    log.debug({ major: distribution.major, durationMs }, "cluster added to the pool");
  }

  #report(error: unknown): void {
    if (this.#options.onError !== undefined) this.#options.onError(error);
    else this.#options.log.warn({ err: error }, "unable to fill the cluster pool");
  }

  #readyFolder(distribution: Distribution): string {
    return join(this.#options.poolDir, readyName(distribution));
  }
}

function readyName(distribution: Distribution): string {
  return `ready-${distribution.kind}-${distribution.version}`;
}

async function entriesOf(ready: string): Promise<string[]> {
  return (await namesIn(ready)).filter((name) => /^[0-9a-f]{16}$/.test(name));
}

/** First away by a rename: half a cluster must never be taken. */
async function discard(poolDir: string, entry: string): Promise<void> {
  const rubbish = ownedPath(poolDir, "take");
  await rename(entry, rubbish);
  await removeTree(rubbish);
}

async function writeEngine(ready: string, { binDir, version }: Distribution): Promise<void> {
  const temporary = join(ready, `${ENGINE_FILE}.${process.pid}`);
  await writeFile(temporary, JSON.stringify({ binDir, version }), { mode: 0o600 });
  await rename(temporary, join(ready, ENGINE_FILE));
}

async function madeByPresentEngine(ready: string): Promise<boolean> {
  try {
    const engine = Engine.safeParse(JSON.parse(await readFile(join(ready, ENGINE_FILE), "utf8")));
    return engine.success && (await readVersion(engine.data.binDir)) === engine.data.version;
  } catch (error) {
    // Whatever keeps the engine from running here, its clusters are of no use.
    if (error instanceof Error) return false;
    throw error;
  }
}

function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch (error) {
    // It has ended already; its end is reported elsewhere.
    if (errnoOf(error) !== "ERR_SYSTEM_ERROR") throw error;
  }
}
