import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent, TestHome } from "../../../test/support/server.js";
import type { ServerSpec } from "../types.js";
import { readConfiguration } from "./configuration.js";
import { connectAdmin, startServer, stopServer } from "./index.js";
import { describeDifference, readLastGood, takeBack } from "./last-good.js";

const o = { log: silent };
const fast = { mode: "fast", timeoutMs: 30_000, log: silent } as const;

describe("the last good settings", () => {
  let home: TestHome;
  let spec: ServerSpec;
  beforeAll(async () => {
    home = await TestHome.make();
    spec = await home.server({ fsync: "off" });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const auto = () => join(spec.paths.data, "postgresql.auto.conf");

  async function sql(...statements: string[]): Promise<Record<string, unknown>[]> {
    const client = await connectAdmin(spec);
    try {
      let rows: Record<string, unknown>[] = [];
      for (const statement of statements) rows = (await client.query(statement)).rows;
      return rows;
    } finally {
      await client.end();
    }
  }

  it("are not there for a server that never ran: a bad wish fails with PostgreSQL's words", async () => {
    const bad = { ...spec, settings: { shared_preload_libraries: "nonexistent" } };
    await expect(startServer(bad, o)).rejects.toMatchObject({
      code: "POSTGRES_START_FAILED",
      message: expect.stringContaining('could not access file "nonexistent"'),
    });
  });

  it("replace an ALTER SYSTEM that keeps the server down, and it is said which", async () => {
    await startServer(spec, o);
    await sql("ALTER SYSTEM SET work_mem = '5MB'");
    await stopServer(spec, fast);
    await startServer(spec, o);
    await sql("ALTER SYSTEM SET shared_preload_libraries = 'nonexistent'", "ALTER SYSTEM SET work_mem = '6MB'");
    await stopServer(spec, fast);

    const result = await startServer(spec, o);
    expect(result.refused).toEqual(["shared_preload_libraries = 'nonexistent'", "work_mem = '6MB'"]);
    expect(await sql("SHOW work_mem")).toEqual([{ work_mem: "5MB" }]);
    expect(readFileSync(`${auto()}.refused`, "utf8")).toContain("nonexistent");
    expect(readFileSync(auto(), "utf8")).not.toContain("nonexistent");
    expect(statSync(auto()).uid).toBe(spec.uid ?? process.getuid?.());

    // Whoever takes the server over hears of it too; a later start has nothing to tell.
    expect((await startServer(spec, o)).refused).toEqual(result.refused);
    await stopServer(spec, fast);
    expect((await startServer(spec, o)).refused).toEqual([]);
  });

  it("replace a wish of the user's at each start, as long as it is wished", async () => {
    await stopServer(spec, fast);
    const bad = { ...spec, settings: { ...spec.settings, shared_preload_libraries: "missing" } };
    for (let i = 0; i < 2; i++) {
      expect((await startServer(bad, o)).refused).toEqual(["shared_preload_libraries = 'missing'"]);
      await stopServer(spec, fast);
    }
    expect((await startServer(spec, o)).refused).toEqual([]);
  });

  it("replace a file that PostgreSQL cannot even read", async () => {
    await stopServer(spec, fast);
    const before = readFileSync(auto(), "utf8");
    writeFileSync(auto(), `${before}this is = = no setting\n`);
    expect((await startServer(spec, o)).refused).toEqual(["an unreadable line in postgresql.auto.conf"]);
  });

  it("are told of although a crash came between taking back and starting", async () => {
    await sql("ALTER SYSTEM SET shared_preload_libraries = 'nonexistent'");
    await stopServer(spec, fast);
    const present = readConfiguration(spec);
    const good = readLastGood(spec);
    if (good === null) throw new Error("no last good settings");
    takeBack(spec, present, good, describeDifference(good, present));
    // Here the process is killed; the next one starts.
    expect((await startServer(spec, o)).refused).toEqual(["shared_preload_libraries = 'nonexistent'"]);
  });

  it("are put away again when they do not help", async () => {
    await sql("ALTER SYSTEM SET work_mem = '8MB'");
    await stopServer(spec, fast);
    const control = join(spec.paths.data, "global", "pg_control");
    const bytes = readFileSync(control);
    writeFileSync(control, Buffer.alloc(bytes.length));
    await expect(startServer(spec, o)).rejects.toMatchObject({
      code: "POSTGRES_START_FAILED",
      message: expect.stringContaining("incompatible with server"),
    });
    writeFileSync(control, bytes);
    expect(readFileSync(auto(), "utf8")).toContain("work_mem = '8MB'");
    expect((await startServer(spec, o)).refused).toEqual([]);
    expect(await sql("SHOW work_mem")).toEqual([{ work_mem: "8MB" }]);
  });

  it("keep what initdb found out, and what slots need", async () => {
    expect(existsSync(join(spec.paths.data, "initdb.conf"))).toBe(true);
    await sql("ALTER SYSTEM SET wal_level = 'logical'");
    await stopServer(spec, fast);
    await startServer(spec, o);
    expect(await sql("SHOW wal_level")).toEqual([{ wal_level: "logical" }]);
    expect(await sql("SHOW datestyle")).toEqual([{ DateStyle: "ISO, MDY" }]);
  });
});
