import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent, TestHome } from "../../../test/support/server.js";
import type { ServerSpec } from "../types.js";
import { AdminSessions, connectAdmin, startServer, stopServer } from "./index.js";

let home: TestHome;
let spec: ServerSpec;
beforeAll(async () => {
  home = await TestHome.make();
  spec = await home.server({ fsync: "off" });
  await startServer(spec, { log: silent });
}, 60_000);
afterAll(() => home[Symbol.asyncDispose]());

const PID = "SELECT pg_catalog.pg_backend_pid() AS pid";
const pidOf = (sessions: AdminSessions): Promise<number> =>
  sessions.run(spec, async (client) => (await client.query(PID)).rows[0].pid);

async function ownSessions(): Promise<number> {
  const client = await connectAdmin(spec);
  try {
    const others = `SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
    return (await client.query(others)).rows[0].n;
  } finally {
    await client.end();
  }
}

describe("the platform's sessions", () => {
  it("are one for all who ask, one after the other", async () => {
    await using sessions = new AdminSessions();
    let inside = 0;
    let most = 0;
    const asked = Array.from({ length: 20 }, () =>
      sessions.run(spec, async (client) => {
        most = Math.max(most, ++inside);
        const { rows } = await client.query(PID);
        inside--;
        return rows[0].pid as number;
      }),
    );
    expect(new Set(await Promise.all(asked)).size).toBe(1);
    expect(most).toBe(1);
    expect(await ownSessions()).toBe(1);
  });

  it("end when nobody asks any more, and when they are forgotten", async () => {
    const sessions = new AdminSessions({ idleMs: 20 });
    await pidOf(sessions);
    await expect.poll(ownSessions).toBe(0);
    await using kept = new AdminSessions();
    const first = await pidOf(kept);
    await kept.forget(spec.id);
    expect(await pidOf(kept)).not.toBe(first);
  });

  it("are opened again when the server ended them, also while they were asked", async () => {
    await using sessions = new AdminSessions();
    const first = await pidOf(sessions);
    const other = await connectAdmin(spec);
    await other.query("SELECT pg_terminate_backend($1)", [first]);
    await other.end();
    const second = await pidOf(sessions);
    expect(second).not.toBe(first);
    let runs = 0;
    const third = await sessions.run(spec, async (client) => {
      runs++;
      const { rows } = await client.query(PID);
      if (rows[0].pid === second) await client.query("SELECT pg_terminate_backend(pg_backend_pid())");
      return rows[0].pid;
    });
    expect(third).not.toBe(second);
    expect(runs).toBe(2);
  });

  it("survive a restart of the server, and hinder no stop", async () => {
    await using sessions = new AdminSessions();
    await pidOf(sessions);
    await stopServer(spec, { mode: "fast", timeoutMs: 30_000, log: silent });
    await expect(pidOf(sessions)).rejects.toMatchObject({ code: "SQL_FAILED" });
    await startServer(spec, { log: silent });
    expect(await pidOf(sessions)).toBeGreaterThan(0);
  });

  it("pass on what the work throws, once, and begin anew after it", async () => {
    await using sessions = new AdminSessions();
    const first = await pidOf(sessions);
    let runs = 0;
    const failing = sessions.run(spec, async (client) => {
      runs++;
      await client.query("BEGIN");
      await client.query("SELECT 1/0");
    });
    await expect(failing).rejects.toThrow("division by zero");
    expect(runs).toBe(1);
    expect(await pidOf(sessions)).not.toBe(first);
  });

  it("run no function that the database's owner put before PostgreSQL's own", async () => {
    const owner = await connectAdmin(spec);
    await owner.query("CREATE SCHEMA evil");
    await owner.query("CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'");
    await owner.query("ALTER DATABASE postgres SET search_path = evil, pg_catalog");
    try {
      await using sessions = new AdminSessions();
      const now = await sessions.run(spec, async (client) => (await client.query("SELECT now() AS now")).rows[0].now);
      expect(now).not.toBeNull();
    } finally {
      await owner.query("ALTER DATABASE postgres RESET search_path");
      await owner.end();
    }
  });
});
