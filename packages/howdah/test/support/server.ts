/**
 * Real servers for tests of the rooms that act on them: a home of its own under the temporary folder, as root with a
 * uid of its own for each server, else under this user. Everything is ended and removed at the end.
 */
import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/kernel/log.js";
import { createCluster } from "../../src/postgres/cluster/index.js";
import { createEngines } from "../../src/postgres/distribution/index.js";
import { endStrayServers, stopServer } from "../../src/postgres/server/index.js";
import type { Distribution, ServerSpec } from "../../src/postgres/types.js";
import {
  claimUid,
  layoutOf,
  prepareHome,
  prepareServiceFolders,
  releaseUid,
  removeTree,
} from "../../src/runtime/index.js";
import type { Major, Settings } from "../../src/spec/index.js";

export const silent = createLogger("silent");
export const isRoot = process.getuid?.() === 0;

export class TestHome implements AsyncDisposable {
  readonly layout;
  readonly distribution: Distribution;
  readonly #servers: ServerSpec[] = [];

  private constructor(home: string, distribution: Distribution) {
    this.layout = layoutOf(home);
    this.distribution = distribution;
  }

  static async make(major: Major = 18): Promise<TestHome> {
    const home = mkdtempSync(join(tmpdir(), "howdah-home-"));
    chmodSync(home, 0o711);
    const layout = layoutOf(home);
    await prepareHome(layout, { isRoot });
    const distribution = await createEngines({ engines: layout.engines, log: silent }).ensure(major);
    return new TestHome(home, distribution);
  }

  /** A complete data directory and all its folders; not started. */
  async server(settings: Settings = {}): Promise<ServerSpec> {
    const id = this.#servers.length + 1;
    const paths = this.layout.service(id);
    const uid = isRoot ? await claimUid({ home: this.layout.home, taken: new Set(), serviceId: id }) : null;
    const spec: ServerSpec = {
      id,
      title: `test/server-${id}`,
      paths,
      distribution: this.distribution,
      uid,
      socketGid: null,
      // 16 MB of shared buffers.
      memoryBytes: 64 * 1024 ** 2,
      settings,
      preload: [],
    };
    this.#servers.push(spec);
    await prepareServiceFolders(paths, spec);
    await createCluster({
      distribution: this.distribution,
      poolDir: this.layout.pool,
      dataDir: paths.data,
      uid,
      initdbArgs: [],
      log: silent,
    });
    return spec;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const spec of this.#servers) await stopServer(spec, { mode: "immediate", timeoutMs: 0, log: silent });
    await endStrayServers({ layout: this.layout, known: new Set(), log: silent });
    for (const { uid } of this.#servers) if (uid !== null) await releaseUid({ home: this.layout.home, uid });
    await removeTree(this.layout.home);
    await removeTree(this.layout.sockets);
  }
}
