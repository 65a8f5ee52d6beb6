import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createLogger } from "../../kernel/log.js";
import { createEngines } from "../distribution/index.js";
import { runProgram } from "../distribution/run-program.js";
import { temporaryFolder } from "../distribution/testing/temporary.js";
import { startTemporaryServer } from "../distribution/testing/temporary-server.js";
import type { Distribution } from "../types.js";
import { createCluster } from "./create-cluster.js";
import { initdbFailure } from "./make-cluster.js";
import { createPool } from "./pool.js";

const log = createLogger("silent");
const uid = process.geteuid?.() === 0 ? 70_321 : null;
const folder = temporaryFolder("cluster");
let distribution: Distribution;
let n = 0;
let poolDir: string;

beforeAll(async () => {
  distribution = await createEngines({ engines: join(folder.path, "engines"), log }).resolve(18);
}, 60_000);
afterAll(() => folder.remove());
/** A pool folder and a place for data of each test's own. */
const place = async () => {
  const home = join(folder.path, String(++n));
  poolDir = join(home, "pool");
  await mkdir(home, { mode: 0o711 });
  await chmod(home, 0o711);
  return join(home, "data");
};
const unfinished = () => (existsSync(poolDir) ? readdirSync(poolDir).filter((name) => name.startsWith(".")) : []);
afterEach(() => expect(unfinished()).toEqual([]));

/** Bytes 0 to 7 of pg_control. */
const systemIdentifier = (data: string) => readFileSync(join(data, "global/pg_control")).readBigUInt64LE(0);
const conf = (data: string) => readFileSync(join(data, "postgresql.conf"), "utf8");
const create = (dataDir: string, ...initdbArgs: string[]) =>
  createCluster({ distribution, poolDir, dataDir, uid, initdbArgs, log });

/** Every file belongs to the service's user and to nobody else. */
function expectPrivate(data: string): void {
  for (const path of [data, ...readdirSync(data, { recursive: true, encoding: "utf8" }).map((p) => join(data, p))]) {
    const stat = statSync(path);
    expect(stat.uid).toBe(uid ?? process.geteuid?.());
    expect(stat.mode & 0o077).toBe(0);
  }
}

async function settings(data: string): Promise<string> {
  const run = await runProgram(join(distribution.binDir, "postgres"), ["-D", data, "-C", "data_checksums"], {
    cwd: "/",
    env: {},
    uid,
  });
  return run.stdout.trim();
}

async function ask(data: string, sql: string): Promise<unknown[]> {
  const server = await startTemporaryServer({ distribution, data, folder: join(data, ".."), uid });
  const client = await server.connect("postgres");
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
    await server.stop();
  }
}

describe("a new cluster", () => {
  it("is PostgreSQL's own work: checksums, UTF-8, builtin C.UTF-8, howdah_admin, private", async () => {
    const data = await place();
    await create(data);
    expectPrivate(data);
    expect(await settings(data)).toBe("on");
    expect(conf(data)).toMatch(/^timezone = UTC/m);
    const global = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
    expect(global).toBe("18");
    expect(readFileSync(join(data, "pg_hba.conf"), "utf8")).not.toMatch(/^[^#]*\btrust\b/m);
    expect(readdirSync(poolDir)).toEqual([]);
    // Made already: a second run after a crash changes nothing.
    const identifier = systemIdentifier(data);
    await create(data);
    expect(systemIdentifier(data)).toBe(identifier);
  });

  it("takes the user's arguments", async () => {
    const data = await place();
    await create(data, "--no-data-checksums", "--wal-segsize=4", "-c", "work_mem=7MB", "--auth-host=scram-sha-256");
    expect(await settings(data)).toBe("off");
    expect(conf(data)).toMatch(/^work_mem = 7MB/m);
    expect(
      readdirSync(join(data, "pg_wal")).some((f) => statSync(join(data, "pg_wal", f)).size === 4 * 1024 ** 2),
    ).toBe(true);
  });

  it("fails with initdb's own words and leaves nothing", async () => {
    const data = await place();
    await expect(create(data, "--locale=xx_YY.UTF-8")).rejects.toMatchObject({
      code: "INITDB_FAILED",
      message: expect.stringContaining('invalid locale name "xx_YY.UTF-8"'),
    });
    await expect(create(data, "--encoding=KLINGON")).rejects.toThrow("KLINGON");
    expect(existsSync(data)).toBe(false);
  });

  it("refuses arguments of ours before it begins", async () => {
    const data = await place();
    await expect(create(data, "-D", "/elsewhere")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(existsSync(poolDir)).toBe(false);
  });

  it("never overwrites what is in its place", async () => {
    const data = await place();
    await mkdir(data);
    await writeFile(join(data, "precious"), "");
    await expect(create(data)).rejects.toMatchObject({
      code: "INITDB_FAILED",
      message: expect.stringContaining("not empty"),
    });
    expect(readdirSync(data)).toEqual(["precious"]);
  });

  it("calls a full disk by its name", () => {
    const stderr = 'initdb: error: could not write file "/x/PG_VERSION": No space left on device\n';
    expect(initdbFailure(distribution, stderr, 1).code).toBe("DISK_FULL");
  });

  it("keeps initdb's hint", () => {
    const error = initdbFailure(distribution, "initdb: error: it is bad\ninitdb: hint: do better\n", 1);
    expect([error.message, error.hint]).toEqual(["initdb of PostgreSQL 18.4 failed: it is bad", "do better"]);
  });
});

describe("the pool", () => {
  const open = (size: number, onError?: (error: unknown) => void) =>
    createPool({ poolDir, size, log, ...(onError === undefined ? {} : { onError }) });
  const full = async (pool: ReturnType<typeof open>, size: number) => {
    pool.fill(distribution);
    while ((await pool.size(distribution)) < size || unfinished().length > 0) await delay(20);
  };

  it("gives every taker a cluster of its own, and none when it is empty", async () => {
    const data = await place();
    const pool = open(2);
    expect(await pool.take({ distribution, dataDir: data, uid })).toBe(false);
    await full(pool, 2);
    const places = ["a", "b", "c", "d", "e", "f"].map((name) => `${data}-${name}`);
    const taken = await Promise.all(places.map((dataDir) => pool.take({ distribution, dataDir, uid })));
    expect(taken.filter(Boolean)).toHaveLength(2);
    const made = places.filter((path) => existsSync(path));
    expect(made).toEqual(places.filter((_, i) => taken[i]));
    expect(new Set(made.map(systemIdentifier)).size).toBe(2);
    for (const path of made) expectPrivate(path);
    const sql = `select rolname, rolpassword, pg_encoding_to_char(encoding) as encoding, datcollate,
      to_jsonb(d)->>'datlocprovider' as provider, to_jsonb(d)->>'datlocale' as locale
      from pg_authid, pg_database d where rolsuper and datname = 'template1'`;
    expect(await ask(made[0] ?? "", sql)).toEqual([
      {
        rolname: "howdah_admin",
        rolpassword: null,
        encoding: "UTF8",
        datcollate: "C.UTF-8",
        provider: "b",
        locale: "C.UTF-8",
      },
    ]);
    // A second run after a crash finds its work done.
    expect(await pool.take({ distribution, dataDir: made[0] ?? "", uid })).toBe(true);
    await pool.close();
  });

  it("keeps its entries from everybody, the lent account included", async () => {
    await place();
    const pool = open(1);
    await full(pool, 1);
    const [ready = ""] = readdirSync(poolDir);
    expect(ready).toBe("ready-embedded-18.4");
    expect(statSync(join(poolDir, ready)).mode & 0o777).toBe(0o700);
    expect(statSync(join(poolDir, ready)).uid).toBe(process.geteuid?.());
    await pool.close();
  });

  it("never overwrites what is in the place, and does not lose it", async () => {
    const data = await place();
    const pool = open(1);
    await full(pool, 1);
    await mkdir(data);
    await writeFile(join(data, "precious"), "");
    await expect(pool.take({ distribution, dataDir: data, uid })).rejects.toMatchObject({ code: "INITDB_FAILED" });
    expect(readdirSync(data)).toEqual(["precious"]);
    await pool.close();
  });

  it("ends its initdb when it is closed and leaves nothing behind", async () => {
    await place();
    const errors: unknown[] = [];
    const pool = open(1, (error) => errors.push(error));
    pool.fill(distribution);
    while (unfinished().length === 0) await delay(5);
    await delay(100);
    await pool.close();
    expect(unfinished()).toEqual([]);
    expect(await pool.size(distribution)).toBe(0);
    pool.fill(distribution);
    expect(errors).toEqual([]);
  });

  it("tells of a failure in the background", async () => {
    await place();
    const errors: unknown[] = [];
    const pool = open(1, (error) => errors.push(error));
    pool.fill({ ...distribution, binDir: "/nonexistent" });
    while (errors.length === 0) await delay(5);
    expect(String(errors[0])).toContain("ENOENT");
    await pool.close();
  });

  it("of size 0 makes nothing", async () => {
    await place();
    const pool = open(0);
    pool.fill(distribution);
    expect(existsSync(poolDir)).toBe(false);
    await pool.sweep();
    await pool.close();
  });

  it("sweeps what crashes left, clusters of engines that are gone, and those beyond its size", async () => {
    await place();
    const pool = open(2);
    await full(pool, 2);
    for (const step of ["make", "take"]) {
      await mkdir(join(poolDir, `.${step}.999999999.0123456789ab.0123456789ab`, "data"), { recursive: true });
    }
    const gone = join(poolDir, "ready-embedded-17.1");
    await mkdir(join(gone, "0123456789abcdef"), { recursive: true });
    await writeFile(join(gone, "engine.json"), JSON.stringify({ binDir: "/nonexistent", version: "17.1" }));
    const upgraded = join(poolDir, "ready-embedded-18.3");
    await mkdir(join(upgraded, "0123456789abcdef"), { recursive: true });
    await writeFile(join(upgraded, "engine.json"), JSON.stringify({ binDir: distribution.binDir, version: "18.3" }));
    await mkdir(join(poolDir, "ready-embedded-16.1", "0123456789abcdef"), { recursive: true });
    await pool.close();
    const smaller = open(1);
    await smaller.sweep();
    expect(readdirSync(poolDir)).toEqual(["ready-embedded-18.4"]);
    expect(await smaller.size(distribution)).toBe(1);
    await open(0).sweep();
    expect(await smaller.size(distribution)).toBe(0);
    await rm(poolDir, { recursive: true });
  });
});
