import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectTo, Installation, listProcesses, query, until } from "../support/installation.js";

const postmasterOf = (howdah: Installation, id: number) =>
  Number(readFileSync(join(howdah.home, "services", String(id), "data/postmaster.pid"), "utf8").split("\n")[0]);

describe("crashes", () => {
  let howdah: Installation;
  let url: string;
  let id: number;
  beforeAll(async () => {
    howdah = new Installation();
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "ledger", "-y"]);
    url = await howdah.url("ledger");
    id = (await howdah.json(["services", "show", "ledger"])).id;
    await query(url, "create table entries (n int primary key)");
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  it("a killed control process disturbs no client, and the next one adopts the same postmaster", async () => {
    const postmaster = postmasterOf(howdah, id);
    const client = await connectTo(url);
    const control = await howdah.controlPid();
    process.kill(control, "SIGKILL");
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    const shown = await howdah.json(["services", "show", "ledger"]);
    expect(shown.status).toBe("running");
    expect(await howdah.controlPid()).not.toBe(control);
    expect(postmasterOf(howdah, id)).toBe(postmaster);
    expect((await client.query("select 2 as two")).rows).toEqual([{ two: 2 }]);
    await client.end();
  });

  it("a killed postmaster comes back with every acknowledged row, even with a backend busy in a loop", async () => {
    const busy = await connectTo(url);
    busy.query("do $$ begin loop perform 1; end loop; end $$").catch(() => undefined);
    const [{ pid }] = await until("the loop runs", async () => {
      const rows = await query(url, "select pid from pg_stat_activity where query like 'do $$%' and state = 'active'");
      return rows.length === 1 && (rows as [{ pid: number }]);
    });
    const writer: pg.Client = await connectTo(url);
    for (let n = 0; n < 100; n++) await writer.query("insert into entries values ($1)", [n]);
    const before = postmasterOf(howdah, id);
    process.kill(before, "SIGKILL");
    const rows = await until("the server is back", () =>
      query(url, "select count(*)::int as n from entries").catch(() => undefined),
    );
    expect(rows).toEqual([{ n: 100 }]);
    expect(postmasterOf(howdah, id)).not.toBe(before);
    expect(listProcesses().some((p) => p.pid === pid && p.command.includes("postgres"))).toBe(false);
  });

  it("settings that PostgreSQL refuses give way to the last good ones, and it says which", async () => {
    await query(url, "alter system set shared_preload_libraries = 'nonexistent'");
    const restarted = await howdah.run(["services", "restart", "ledger"]);
    expect(restarted.code).toBe(0);
    const shown = await howdah.json(["services", "show", "ledger"]);
    expect(shown.status).toBe("running");
    expect(shown.notices.join(" ")).toContain("shared_preload_libraries = 'nonexistent'");
    expect(await query(url, "show shared_preload_libraries")).toEqual([{ shared_preload_libraries: "" }]);
    expect(await query(url, "select count(*)::int as n from entries")).toEqual([{ n: 100 }]);
  });

  it("heals the platform's own role when the superuser broke it", async () => {
    await query(url, "alter role howdah_admin nologin");
    await howdah.ok(["services", "restart", "ledger"]);
    const [role] = await query(url, "select rolcanlogin, rolsuper from pg_roles where rolname = 'howdah_admin'");
    expect(role).toEqual({ rolcanlogin: true, rolsuper: true });
  });

  it.each(["alter role howdah_admin nologin", "alter role howdah_admin rename to somebody"])(
    "heals it while the server runs, at the next login: %s",
    async (broken) => {
      const postmaster = postmasterOf(howdah, id);
      await query(url, broken);
      await query(
        url,
        "select pg_terminate_backend(pid) from pg_stat_activity where usesysid = 10 and datname is not null",
      );
      const [role] = await query(url, "select rolcanlogin, rolsuper from pg_roles where rolname = 'howdah_admin'");
      expect(role).toEqual({ rolcanlogin: true, rolsuper: true });
      expect(postmasterOf(howdah, id)).toBe(postmaster);
      // Attempts come at most every five seconds.
      await delay(5_100);
    },
  );

  it("stops everything with 'server stop --all' and brings it back where it was", async () => {
    await howdah.ok(["server", "stop", "--all"]);
    expect(howdah.processes()).toEqual([]);
    const status = await howdah.run(["server", "status"]);
    expect(status.code).not.toBe(0);
    await howdah.ok(["server", "start"]);
    const rows = await until("the server answers", () =>
      query(url, "select count(*)::int as n from entries").catch(() => undefined),
    );
    expect(rows).toEqual([{ n: 100 }]);
  });

  it("leaves servers running on a plain 'server stop', and adopts them", async () => {
    const postmaster = postmasterOf(howdah, id);
    await howdah.ok(["server", "stop"]);
    expect(howdah.processesBesideGateway().filter((p) => !p.command.includes("postgres"))).toEqual([]);
    expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
    await howdah.ok(["services", "list"]);
    expect(postmasterOf(howdah, id)).toBe(postmaster);
  });
});

describe("two installations side by side", () => {
  it("do not disturb each other", async () => {
    await using a = new Installation();
    await using b = new Installation();
    await Promise.all([a, b].map((h) => h.ok(["services", "create", "-t", "postgres", "-n", "db", "-y"])));
    const [one, two] = await Promise.all([a.json(["services", "show", "db"]), b.json(["services", "show", "db"])]);
    expect(one.endpoint.port).not.toBe(two.endpoint.port);
    await query(await a.url("db"), "create table only_here ()");
    await a.ok(["services", "remove", "db", "-y"]);
    await a.ok(["server", "stop", "--all"]);
    expect(a.processes()).toEqual([]);
    expect(await query(await b.url("db"), "select to_regclass('only_here') as t")).toEqual([{ t: null }]);
  });

  it.skipIf(process.getuid?.() !== 0)("wall their services off by uid as root", async () => {
    await using howdah = new Installation();
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "one", "-y"]);
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "two", "-y"]);
    const two = await howdah.json(["services", "show", "two"]);
    const path = join(howdah.home, "services", String(two.id), "data/PG_VERSION");
    await expect(query(await howdah.url("one"), "select pg_read_file($1)", [path])).rejects.toMatchObject({
      code: "42501",
    });
    const [row] = await query(await howdah.url("one"), "select pg_read_file('PG_VERSION') as v");
    expect(row.v.trim()).toBe("18");
  });
});
