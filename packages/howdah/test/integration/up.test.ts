import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Installation, query } from "../support/installation.js";

/** The example of Defang's own page, database part and app. */
const COMPOSE = `
services:
  app:
    image: node:22
    command: ["node", "server.js"]
    environment:
      POSTGRES_HOST: database
      POSTGRES_USER: postgres
      POSTGRES_DB: postgres
      POSTGRES_PASSWORD:
      CONNECTURL: postgresql://\${POSTGRES_USER:-postgres}:\${POSTGRES_PASSWORD}@database:5432/postgres
  database:
    image: postgres:18
    x-defang-postgres: true
    restart: unless-stopped
    ports:
      - mode: host
        target: 5432
    environment:
      POSTGRES_PASSWORD:
`;

describe("howdah up", () => {
  let howdah: Installation;
  let project: string;
  beforeAll(() => {
    howdah = new Installation();
    project = join(howdah.folder, "shop");
    mkdirSync(project);
    writeFileSync(join(project, "compose.yaml"), COMPOSE);
  });
  afterAll(() => howdah[Symbol.asyncDispose]());
  const at = () => ({ cwd: project });

  it("refuses without the password and leaves nothing behind", async () => {
    const { code, stdout, stderr } = await howdah.run(["up"], at());
    expect(code).toBe(3);
    expect(stderr + stdout).toContain('missing configs ["POSTGRES_PASSWORD"]');
    expect(await howdah.json(["services", "list"])).toEqual([]);
    expect(readdirSync(join(howdah.home, "services"))).toEqual([]);
    expect(howdah.processes().filter((p) => p.command.includes("postgres"))).toEqual([]);
  });

  it("makes the database real once it is set, with any characters in the password", async () => {
    await howdah.ok(["config", "set", "POSTGRES_PASSWORD", "-"], { ...at(), input: "p@ss:w/rd%?#" });
    const output = await howdah.ok(["up"], at());
    expect(output).toMatch(/postgresql:\/\/postgres:\*\*\*@127\.0\.0\.1:\d+\/postgres/);
    expect(output).toContain("howdah run");
    expect(output).not.toContain("p@ss:w/rd%?#");
    const url = await howdah.url("database", at());
    const [row] = await query(url, "select current_user as who, version() as version");
    expect(row.who).toBe("postgres");
    expect(row.version).toContain("PostgreSQL 18");
  });

  it("has nothing to do the second time", async () => {
    const before = (await howdah.json(["services", "show", "database"], at())).pid;
    const { plan } = await howdah.json(["up"], at());
    expect(plan.changes).toEqual([{ action: "none", service: "database", details: [] }]);
    expect((await howdah.json(["services", "show", "database"], at())).pid).toBe(before);
  });

  it("shows the contract's fields and the endpoint", async () => {
    const shown = await howdah.json(["services", "show", "database"], at());
    expect(shown).toMatchObject({ name: "database", service_type: "postgres", status: "running", project: "shop" });
    expect(shown.endpoint).toEqual({ host: "127.0.0.1", port: expect.any(Number) });
    expect(JSON.stringify(shown)).not.toContain("p@ss");
    const revealed = await howdah.json(["services", "show", "database", "--reveal"], at());
    expect(revealed.current_parameters.password).toBe("p@ss:w/rd%?#");
  });

  it("gives apps the resolved environment", async () => {
    const { endpoint } = await howdah.json(["services", "show", "database"], at());
    const env = await howdah.json(["env", "app"], at());
    expect(env).toMatchObject({
      POSTGRES_HOST: "127.0.0.1",
      POSTGRES_PORT: String(endpoint.port),
      POSTGRES_PASSWORD: "p@ss:w/rd%?#",
      CONNECTURL: `postgresql://postgres:p%40ss%3Aw%2Frd%25%3F%23@127.0.0.1:${endpoint.port}/postgres`,
    });
    const run = await howdah.run(
      ["run", "app", "--", process.execPath, "-e", "console.log(process.env.CONNECTURL); process.exit(7)"],
      at(),
    );
    expect(run.stdout.trim()).toBe(env.CONNECTURL);
    expect(run.code).toBe(7);
    const [row] = await query(env.CONNECTURL, "select 1 as one");
    expect(row.one).toBe(1);
  });

  it("applies a changed password to the running server and keeps the data", async () => {
    const old = await howdah.url("database", at());
    await query(old, "create table kept as select 42 as answer");
    await howdah.ok(["config", "set", "POSTGRES_PASSWORD=another"], at());
    expect(await howdah.ok(["plan"], at())).toContain("alter the password of role 'postgres'");
    await howdah.ok(["up"], at());
    await expect(query(old, "select 1")).rejects.toMatchObject({ code: "28P01" });
    expect(await query(await howdah.url("database", at()), "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  it("puts right a password that somebody altered by SQL", async () => {
    const url = await howdah.url("database", at());
    await query(url, "alter role postgres password 'drifted'");
    await expect(query(url, "select 1")).rejects.toMatchObject({ code: "28P01" });
    await howdah.ok(["up"], at());
    expect(await query(url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  it("keeps the endpoint through down and up", async () => {
    const before = (await howdah.json(["services", "show", "database"], at())).endpoint;
    await howdah.ok(["down"], at());
    expect((await howdah.json(["services", "show", "database"], at())).status).toBe("stopped");
    expect(howdah.processes().filter((p) => p.command.includes("bin/postgres"))).toEqual([]);
    await howdah.ok(["up"], at());
    expect((await howdah.json(["services", "show", "database"], at())).endpoint).toEqual(before);
    expect(await query(await howdah.url("database", at()), "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  it("removes with --volumes, and brings back what it removed", async () => {
    const unconfirmed = await howdah.run(["down", "--volumes"], at());
    expect(unconfirmed.code).toBe(2);
    await howdah.ok(["down", "--volumes", "-y"], at());
    expect(await howdah.json(["services", "list"])).toEqual([]);
    expect(readdirSync(join(howdah.home, "services"))).toEqual([]);
    expect(howdah.processes().filter((p) => p.command.includes("bin/postgres"))).toEqual([]);
    await howdah.ok(["services", "restore-removed", "database"]);
    expect(await query(await howdah.url("database", at()), "select answer from kept")).toEqual([{ answer: 42 }]);
    expect(existsSync(join(howdah.home, "trash", "1"))).toBe(false);
  });
});
