import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRoot, silent, TestHome } from "../../../test/support/server.js";
import { readProcess, waitForExit } from "../../runtime/process/index.js";
import type { ServerSpec } from "../types.js";
import { connectAdmin, observeServer, startServer, stopServer } from "./index.js";

const o = { log: silent };
const quick = { log: silent, knownClean: true };
const fast = { mode: "fast", timeoutMs: 30_000, log: silent } as const;

let home: TestHome;
let spec: ServerSpec;
beforeAll(async () => {
  home = await TestHome.make();
  spec = { ...(await home.server({ fsync: "off" })), preload: ["pg_prewarm", "no_such_library"] };
}, 60_000);
afterAll(() => home[Symbol.asyncDispose]());
beforeEach(async () => {
  await startServer(spec, o);
});

async function ask(sql: string): Promise<pg.QueryResult["rows"]> {
  const client = await connectAdmin(spec);
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("a stop", () => {
  it("says whether it was clean", async () => {
    expect(await stopServer(spec, fast)).toEqual({ clean: true });
    expect(await observeServer(spec, { knownClean: true })).toEqual({ kind: "down", survivors: [] });
    // There was nothing to stop, so nothing is known of its end.
    expect(await stopServer(spec, fast)).toEqual({ clean: false });
    await startServer(spec, o);
    expect(await stopServer(spec, { ...fast, mode: "immediate" })).toEqual({ clean: false });
  });

  it("ends no log collector that is still writing", async () => {
    const warnings: unknown[] = [];
    const log = Object.assign(Object.create(silent), { warn: (fields: unknown) => warnings.push(fields) });
    for (let i = 0; i < 5; i++) {
      expect(await stopServer(spec, { ...fast, log })).toEqual({ clean: true });
      await startServer(spec, quick);
    }
    expect(warnings).toEqual([]);
  });
});

describe("a start of a server that was stopped cleanly", () => {
  it("writes nothing that is as it was, and takes up what changed", async () => {
    await stopServer(spec, fast);
    const files = [join(spec.paths.root, "pg_hba.conf"), join(spec.paths.data, "postgresql.conf")];
    const stamps = () => files.map((file) => statSync(file).ctimeMs);
    const before = stamps();
    await startServer(spec, quick);
    expect(stamps()).toEqual(before);
    await stopServer(spec, fast);
    writeFileSync(join(spec.paths.root, "pg_hba.conf"), "local all all reject\n");
    await startServer({ ...spec, settings: { fsync: "off", work_mem: "9MB" } }, quick);
    expect(await ask("SHOW work_mem")).toEqual([{ work_mem: "9MB" }]);
    await stopServer(spec, fast);
  });

  it("gives the socket to the group that is to reach it, when that changed", async ({ skip }) => {
    skip(!isRoot, "an ordinary user has no other group to give it to");
    await stopServer(spec, fast);
    await startServer({ ...spec, socketGid: 65_534 }, quick);
    const socket = statSync(join(spec.paths.socket, ".s.PGSQL.5432"));
    expect([socket.gid, socket.mode & 0o777]).toEqual([65_534, 0o770]);
    await stopServer(spec, fast);
  });

  it("takes over a server that runs after all", async () => {
    const { postmaster } = await startServer(spec, o);
    expect((await startServer(spec, quick)).postmaster).toEqual(postmaster);
  });

  it("repairs what a crash left after all, and loses nothing", async () => {
    await ask("CREATE TABLE IF NOT EXISTS kept (n int)");
    await ask("INSERT INTO kept VALUES (42)");
    // A backend that outlives its postmaster keeps the shared memory, which forbids a second server.
    const client = await connectAdmin(spec);
    const busy: number = (await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
    client.query("DO $$ BEGIN LOOP END LOOP; END $$").catch(() => undefined);
    const { postmaster } = await startServer(spec, o);
    process.kill(postmaster.pid, "SIGKILL");
    await waitForExit(postmaster, 10_000);
    expect(readProcess(busy)).not.toBeNull();
    const again = await startServer(spec, quick);
    expect(again.postmaster).not.toEqual(postmaster);
    expect(readProcess(busy)).toBeNull();
    expect(await ask("SELECT n FROM kept")).toContainEqual({ n: 42 });
  });

  it("falls back on the last good settings, and names what was refused", async () => {
    await ask("ALTER SYSTEM SET shared_preload_libraries = 'nonexistent'");
    await stopServer(spec, fast);
    const { refused } = await startServer(spec, quick);
    expect(refused).toEqual(["shared_preload_libraries = 'nonexistent'"]);
    expect(await ask("SHOW shared_preload_libraries")).toEqual([{ shared_preload_libraries: "pg_prewarm" }]);
  });

  it("says why when it cannot be", async () => {
    await stopServer(spec, fast);
    const lock = join(spec.paths.socket, ".s.PGSQL.5432.lock");
    mkdirSync(lock);
    try {
      await expect(startServer(spec, quick)).rejects.toMatchObject({ code: "HOME_UNUSABLE" });
    } finally {
      rmdirSync(lock);
    }
    const gone = { ...spec, paths: home.layout.service(4711) };
    await expect(startServer(gone, quick)).rejects.toMatchObject({ code: "POSTGRES_START_FAILED" });
    const abort = AbortSignal.abort(new Error("never"));
    await expect(startServer(spec, { ...quick, signal: abort })).rejects.toThrow("never");
  });
});

describe("what outlives a clean stop", () => {
  it("are statistics, those of statements, and the list of what was in the cache", async () => {
    await ask("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
    await stopServer(spec, fast);
    await startServer(spec, quick);
    expect(await ask("SHOW shared_preload_libraries")).toEqual([
      { shared_preload_libraries: "pg_stat_statements, pg_prewarm" },
    ]);
    await ask("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    await ask("CREATE TABLE counted AS SELECT n FROM generate_series(1, 1000) n");
    const client = await connectAdmin(spec);
    await client.query("SET pg_stat_statements.track = 'all'");
    await client.query("SELECT count(*) FROM counted");
    await client.end();
    await stopServer(spec, fast);
    expect(existsSync(join(spec.paths.data, "autoprewarm.blocks"))).toBe(true);
    expect(readFileSync(join(spec.paths.data, "autoprewarm.blocks"), "utf8")).toMatch(/^<<\d+>>\n/);
    await startServer(spec, quick);
    const statements = "SELECT calls::int FROM pg_stat_statements WHERE query = 'SELECT count(*) FROM counted'";
    expect(await ask(statements)).toEqual([{ calls: 1 }]);
    expect(await ask("SELECT n_live_tup::int AS n FROM pg_stat_user_tables WHERE relname = 'counted'")).toEqual([
      { n: 1000 },
    ]);
  });
});
