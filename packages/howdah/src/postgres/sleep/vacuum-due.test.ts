import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { silent, TestHome } from "../../../test/support/server.js";
import { connectAdmin, startServer } from "../server/index.js";
import type { ServerSpec } from "../types.js";
import { tablesToVacuum, vacuumDue } from "./index.js";

let home: TestHome;
let spec: ServerSpec;
let other: ServerSpec;
beforeAll(async () => {
  home = await TestHome.make();
  // Its own autovacuum never gets round to anything; what is due is counted all the same.
  spec = await home.server({ fsync: "off", autovacuum_naptime: "1d", max_prepared_transactions: "2" });
  other = await home.server({ fsync: "off", autovacuum: "off" });
  await startServer(spec, { log: silent });
  await startServer(other, { log: silent });
  // What initdb left in the catalogs.
  await vacuumDue(spec, never());
  await vacuumDue(other, never());
}, 60_000);
afterAll(() => home[Symbol.asyncDispose]());

const never = () => ({ signal: new AbortController().signal, log: silent });

/** Each in a session of its own: counters are handed in at its end. */
async function sql(text: string, server = spec, database = "postgres"): Promise<pg.QueryResult["rows"]> {
  const client = await connectAdmin(server, database);
  try {
    const results: pg.QueryResult | pg.QueryResult[] = await client.query(text);
    return (Array.isArray(results) ? results.at(-1) : results)?.rows ?? [];
  } finally {
    await client.end();
  }
}

async function due(server = spec, database = "postgres") {
  const client = await connectAdmin(server, database);
  try {
    return (await tablesToVacuum(client, server.distribution.major)).filter((t) => t.schema !== "pg_catalog");
  } finally {
    await client.end();
  }
}

const table = (name: string, what: Partial<Record<"vacuum" | "analyze" | "wraparound", true>>) => ({
  schema: "public",
  name,
  vacuum: false,
  analyze: false,
  wraparound: false,
  ...what,
});

describe("tables that are due", () => {
  afterEach(() => sql("DROP TABLE IF EXISTS t, small, big, quiet"));

  it("are those over the thresholds for dead, changed and inserted rows", async () => {
    await sql("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n");
    // 50 + 10 % changed; 1,000 + 20 % inserted are not reached.
    expect(await due()).toEqual([table("t", { analyze: true })]);
    await sql("ANALYZE t");
    expect(await due()).toEqual([]);
    await sql("UPDATE t SET n = n WHERE n <= 250");
    expect(await due()).toEqual([table("t", { analyze: true })]);
    await sql("UPDATE t SET n = n WHERE n <= 1");
    expect(await due()).toEqual([table("t", { vacuum: true, analyze: true })]);
    await sql("VACUUM ANALYZE t");
    expect(await due()).toEqual([]);
    await sql("CREATE TABLE big AS SELECT n FROM generate_series(1, 1300) n");
    await sql("ANALYZE big");
    expect(await due()).toEqual([table("big", { vacuum: true })]);
  });

  it("heed the table's own options", async () => {
    await sql(`CREATE TABLE small (n int) WITH (autovacuum_vacuum_threshold = 5, autovacuum_vacuum_scale_factor = 0,
      autovacuum_analyze_threshold = 1000000, autovacuum_vacuum_insert_threshold = -1)`);
    await sql("INSERT INTO small SELECT generate_series(1, 100000)");
    expect(await due()).toEqual([]);
    await sql("DELETE FROM small WHERE n <= 6");
    expect(await due()).toEqual([table("small", { vacuum: true })]);
    await sql("ALTER TABLE small SET (autovacuum_enabled = off)");
    expect(await due()).toEqual([]);
  });

  it("are none where autovacuum is off, except by the age of transactions", async () => {
    await sql("CREATE TABLE t AS SELECT n FROM generate_series(1, 5000) n; UPDATE t SET n = n", other);
    expect(await due(other)).toEqual([]);
    await sql("ALTER TABLE t SET (autovacuum_freeze_max_age = 100000)", other);
    await sql("DO $$ BEGIN FOR i IN 1..100100 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$", other);
    expect(await due(other)).toEqual([table("t", { vacuum: true, wraparound: true })]);
    expect(await vacuumDue(other, never())).toEqual(["postgres.public.t"]);
    expect(await due(other)).toEqual([]);
  });
});

describe("vacuuming what is due", () => {
  it("works in every database, on TOAST tables too, and says on what", async () => {
    await sql('CREATE DATABASE "Sh\'op"');
    await sql(
      `CREATE TABLE "Or""ders" AS SELECT n, repeat('x', 10) AS t FROM generate_series(1, 5000) n;
       UPDATE "Or""ders" SET n = n`,
      spec,
      "Sh'op",
    );
    await sql(
      `CREATE TABLE wide (n int, t text STORAGE EXTERNAL) WITH (toast.autovacuum_vacuum_threshold = 10,
         toast.autovacuum_vacuum_scale_factor = 0, autovacuum_analyze_threshold = 100000);
       INSERT INTO wide SELECT n, repeat('x', 3000) FROM generate_series(1, 40) n;
       DELETE FROM wide`,
      spec,
      "Sh'op",
    );
    const [toast] = await sql(
      "SELECT reltoastrelid::regclass::text AS name FROM pg_class WHERE relname = 'wide'",
      spec,
      "Sh'op",
    );
    const started: string[] = [];
    const done = await vacuumDue(spec, { ...never(), onTable: (title) => started.push(title) });
    expect(done).toEqual(expect.arrayContaining(["Sh'op.public.Or\"ders", `Sh'op.${toast.name}`]));
    expect(started).toEqual(done);
    expect(await due(spec, "Sh'op")).toEqual([]);
    expect(await vacuumDue(spec, never())).toEqual([]);
  });

  it("is broken off at once", async () => {
    await sql(
      "CREATE TABLE slow AS SELECT n, repeat('x', 100) AS t FROM generate_series(1, 300000) n; UPDATE slow SET n = n",
    );
    await sql("ALTER SYSTEM SET vacuum_cost_delay = 100; ");
    await sql("ALTER SYSTEM SET vacuum_cost_limit = 1; ");
    await sql("SELECT pg_reload_conf()");
    try {
      const abort = new AbortController();
      const done = vacuumDue(spec, {
        signal: abort.signal,
        log: silent,
        onTable: () => void setTimeout(() => abort.abort(), 200),
      });
      // With these settings it would take minutes.
      expect(await done).toEqual([]);
      expect(await due()).toEqual([table("slow", { vacuum: true, analyze: true })]);
      expect(await vacuumDue(spec, { signal: AbortSignal.abort(), log: silent })).toEqual([]);
    } finally {
      await sql("ALTER SYSTEM RESET ALL");
      await sql("SELECT pg_reload_conf()");
    }
    expect(await vacuumDue(spec, never())).toEqual(["postgres.public.slow"]);
  });

  it("waits for no lock", async () => {
    await sql("CREATE TABLE held AS SELECT n FROM generate_series(1, 5000) n; UPDATE held SET n = n");
    await sql("BEGIN; LOCK TABLE held; PREPARE TRANSACTION 'holding'");
    expect(await vacuumDue(spec, never())).toEqual([]);
    await sql("COMMIT PREPARED 'holding'");
    expect(await vacuumDue(spec, never())).toEqual(["postgres.public.held"]);
  });

  it("leaves the platform's role with no function of a database's owner to run", async () => {
    await sql("CREATE DATABASE trap");
    await sql(
      `CREATE SCHEMA evil; CREATE TABLE evil.said (who text);
       CREATE FUNCTION evil.age(xid) RETURNS int LANGUAGE sql AS 'INSERT INTO evil.said VALUES (current_user) RETURNING 1';
       CREATE FUNCTION evil.gt(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'INSERT INTO evil.said VALUES (current_user) RETURNING true';
       CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.gt)`,
      spec,
      "trap",
    );
    await sql("ALTER DATABASE trap SET search_path = evil, pg_catalog");
    await vacuumDue(spec, never());
    expect(await sql("SELECT * FROM evil.said", spec, "trap")).toEqual([]);
  });

  it("leaves no more dead rows after six short lives of updates than autovacuum's own threshold", async () => {
    await sql("CREATE TABLE updated AS SELECT n, 0 AS v FROM generate_series(1, 2000) n");
    await sql("VACUUM ANALYZE updated");
    const dead = "SELECT pg_stat_get_dead_tuples('updated'::regclass)::int AS n";
    for (let life = 0; life < 6; life++) {
      for (let i = 0; i < 3; i++) await sql("UPDATE updated SET v = v + 1");
      await vacuumDue(spec, never());
      expect((await sql(dead))[0].n).toBeLessThanOrEqual(50 + 0.2 * 2000);
    }
    expect((await sql("SELECT min(v) AS v FROM updated"))[0].v).toBe(18);
  });
});
