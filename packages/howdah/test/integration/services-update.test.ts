import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, Installation, query } from "../support/installation.js";

describe("changing a service", () => {
  let howdah: Installation;
  const show = () => howdah.json(["services", "show", "db"]);
  beforeAll(async () => {
    howdah = new Installation();
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "db", "-s", "password=first", "-y"]);
    await query(await howdah.url("db"), "create table kept as select 42 as answer");
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  it("a setting that needs no restart is reloaded under the clients' feet", async () => {
    const { pid } = await show();
    await howdah.ok(["services", "update", "db", "-s", "set.work_mem=7MB"]);
    expect(await query(await howdah.url("db"), "show work_mem")).toEqual([{ work_mem: "7MB" }]);
    expect((await show()).pid).toBe(pid);
  });

  it("a setting that needs one restarts the server", async () => {
    const { pid } = await show();
    await howdah.ok(["services", "update", "db", "-s", "max_connections=17"]);
    expect(await query(await howdah.url("db"), "show max_connections")).toEqual([{ max_connections: "17" }]);
    expect((await show()).pid).not.toBe(pid);
  });

  it("a new password holds at once, the old one no longer", async () => {
    const old = await howdah.url("db");
    await howdah.ok(["services", "update", "db", "-s", "password=p@ss:w/rd%?#"]);
    await expect(query(old, "select 1")).rejects.toMatchObject({ code: "28P01" });
    expect(await query(await howdah.url("db"), "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  it("the endpoint moves when it is asked to, with the data", async () => {
    const port = await freePort();
    await howdah.ok(["services", "update", "db", "-s", `port=${port}`]);
    expect((await show()).endpoint.port).toBe(port);
    expect(await query(await howdah.url("db"), "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  it("tells what happened to it", async () => {
    await howdah.ok(["services", "stop", "db"]);
    const kinds = (await howdah.json(["services", "events", "db"])).map((event: { kind: string }) => event.kind);
    expect(kinds).toEqual(
      expect.arrayContaining(["created", "provisioned", "reloaded", "credentials-changed", "stopped"]),
    );
  });

  const system = existsSync("/usr/lib/postgresql/15/bin/postgres");
  it.skipIf(!system)("the system's binaries are taken on request (needs Debian's PostgreSQL 15)", async () => {
    await howdah.ok([
      "services",
      "create",
      "-t",
      "postgres",
      "-n",
      "own",
      "-s",
      "version=15",
      "-s",
      "engine=system",
      "-y",
    ]);
    const shown = await howdah.json(["services", "show", "own"]);
    expect(shown.engine).toBe("system");
    const [row] = await query(await howdah.url("own"), "select version() as v");
    expect(row.v).toContain("Debian");
    const refused = await howdah.run(["services", "update", "own", "-s", "engine=embedded"]);
    expect(refused.code).toBe(2);
  });
});
