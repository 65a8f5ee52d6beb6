import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent, TestHome } from "../../../test/support/server.js";
import { provision } from "../role/index.js";
import { AdminSessions, connectAdmin, connectUser, startServer, stopServer } from "../server/index.js";
import type { ServerSpec } from "../types.js";
import { checkpoint, readActivity } from "./index.js";

const APP = { username: "app", database: "app", password: "secret" };

let home: TestHome;
let spec: ServerSpec;
let other: ServerSpec;
let sessions: AdminSessions;
beforeAll(async () => {
  home = await TestHome.make();
  const settings = { fsync: "off", autovacuum: "off", wal_level: "logical", max_prepared_transactions: "5" };
  spec = await home.server(settings);
  await startServer(spec, { log: silent });
  await provision(spec, APP);
  sessions = new AdminSessions();
}, 60_000);
afterAll(async () => {
  await sessions[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

const activity = (server: ServerSpec = spec) => sessions.run(server, readActivity);

async function asApp<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connectUser(spec, APP);
  try {
    return await work(client);
  } finally {
    await client.end();
    await expect.poll(() => activity()).toEqual([]);
  }
}

describe("what keeps a server awake", () => {
  it("is nothing in one that nobody uses, our own sessions and a checkpoint of ours included", async () => {
    const own = await connectAdmin(spec, "app");
    expect(await activity()).toEqual([]);
    await sessions.run(spec, checkpoint);
    await own.end();
    expect(await activity()).toEqual([]);
  });

  it("are sessions, by role and program", async () => {
    await asApp(async (first) => {
      await asApp2(async (second) => {
        await first.query("SET application_name = 'psql'");
        await second.query("SET application_name = 'psql'");
        expect(await activity()).toEqual(["2 sessions of role app from [local] (psql)"]);
        await second.query("SET application_name = ''");
        expect(await activity()).toEqual([
          "1 session of role app from [local]",
          "1 session of role app from [local] (psql)",
        ]);
      });
    });
    async function asApp2(work: (client: pg.Client) => Promise<void>) {
      const client = await connectUser(spec, APP);
      await work(client).finally(() => client.end());
    }
  });

  it("are transactions and statements, also of somebody who calls himself as we do", async () => {
    await asApp(async (client) => {
      await client.query("SET application_name = 'howdah'");
      await client.query("BEGIN");
      expect(await activity()).toEqual(["1 open transaction of role app from [local] (howdah)"]);
      await client.query("ROLLBACK");
      const sleeping = client.query("SELECT pg_sleep(60)").catch((error: Error) => error.message);
      await expect.poll(() => activity()).toEqual(["1 running statement of role app from [local] (howdah)"]);
      await sessions.run(spec, (c) =>
        c.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'app'"),
      );
      expect(await sleeping).toContain("canceling statement");
    });
  });

  it("is an autovacuum, by its table", async () => {
    const busy = await home.server({
      fsync: "off",
      autovacuum_naptime: "1",
      autovacuum_vacuum_cost_delay: "100",
      autovacuum_vacuum_cost_limit: "1",
    });
    await startServer(busy, { log: silent });
    const client = await connectAdmin(busy);
    await client.query("CREATE TABLE orders AS SELECT n FROM generate_series(1, 20000) n");
    await client.end();
    await expect.poll(() => activity(busy), { timeout: 15_000 }).toContain("an autovacuum of public.orders");
    await sessions.forget(busy.id);
  });

  it("is logical replication at both ends", async () => {
    other = await home.server({ fsync: "off", autovacuum: "off" });
    await startServer(other, { log: silent });
    await asApp(async (client) => {
      await client.query("CREATE TABLE t (n int PRIMARY KEY)");
      await client.query("CREATE PUBLICATION p FOR TABLE t");
    });
    const subscriber = await connectAdmin(other);
    await subscriber.query("CREATE TABLE t (n int PRIMARY KEY)");
    const source = `host=${spec.paths.socket} user=app password=secret dbname=app`;
    if (spec.uid !== null) {
      // Another service's user may not enter the folder of the socket; what is listed does not depend on it.
      await subscriber.query(`CREATE SUBSCRIPTION s CONNECTION '${source}' PUBLICATION p WITH (connect = false)`);
      await subscriber.query("ALTER SUBSCRIPTION s ENABLE");
    } else {
      await subscriber.query(`CREATE SUBSCRIPTION s CONNECTION '${source}' PUBLICATION p`);
      await expect.poll(() => activity()).toEqual(["a logical replication slot 's' in use"]);
    }
    await subscriber.end();
    expect(await activity(other)).toEqual(["an enabled subscription 's'"]);
    const again = await connectAdmin(other);
    await again.query("ALTER SUBSCRIPTION s DISABLE");
    await expect.poll(() => activity(other)).toEqual([]);
    if (spec.uid !== null) await again.query("ALTER SUBSCRIPTION s SET (slot_name = NONE)");
    await again.query("DROP SUBSCRIPTION s");
    await again.end();
    await sessions.forget(other.id);
  });

  it("is neither a prepared transaction nor a slot that nobody reads: both outlive a clean stop", async () => {
    await asApp(async (client) => {
      await client.query("SELECT pg_create_logical_replication_slot('unread', 'pgoutput')");
      await client.query("BEGIN");
      await client.query("CREATE TABLE prepared (n int)");
      await client.query("PREPARE TRANSACTION 'later'");
    });
    expect(await activity()).toEqual([]);
    await asApp(async (client) => {
      await client.query("ROLLBACK PREPARED 'later'");
      await client.query("SELECT pg_drop_replication_slot('unread')");
    });
  });

  it("is not the worker that warms the cache, which a stop may break off", async () => {
    const warm = await home.server({ fsync: "off", shared_preload_libraries: "pg_prewarm" });
    await startServer(warm, { log: silent });
    const client = await connectAdmin(warm);
    await client.query("CREATE TABLE t AS SELECT n, repeat('x', 100) AS t FROM generate_series(1, 50000) n");
    await client.end();
    await stopServer(warm, { mode: "fast", timeoutMs: 30_000, log: silent });
    await startServer(warm, { log: silent });
    for (let look = 0; look < 20; look++) expect(await activity(warm)).toEqual([]);
    await sessions.forget(warm.id);
  });
});
