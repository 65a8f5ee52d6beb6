/**
 * Control is killed (-9) at a random moment of everything that takes more than one step. Whatever was done by then, the
 * next command brings the installation to where it should be, and nothing is left over.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectConverged } from "../support/converged.js";
import { Installation, listProcesses, query, text, until } from "../support/installation.js";
import { Seeded } from "../support/seed.js";

const random = new Seeded("kill at every step");

const INIT_SQL = `
create table ran (script text, n int);
insert into ran select 'sql', n from generate_series(1, 20000) n;
create role made_by_script;
insert into ran values ('sql', 0);
`;
/** Runs without psql, and takes so long that it is there to be found when it outlives what killed control. */
const INIT_SH = "sleep 1.5\n";
const INIT_LAST = "insert into ran values ('last', 0);\n";

function compose(o: { password: string; workMem?: string; connections?: number; port?: number }): string {
  const settings = `-c work_mem=${o.workMem ?? "4MB"} -c max_connections=${o.connections ?? 30}`;
  return `
services:
  database:
    image: postgres:18
    x-defang-postgres: true
    command: postgres ${settings}
    environment: { POSTGRES_PASSWORD: ${o.password} }
${o.port === undefined ? "" : `    ports: ["127.0.0.1:${o.port}:5432"]\n`}    volumes: ["./init:/docker-entrypoint-initdb.d"]
`;
}

describe("control killed at a random moment of", () => {
  let howdah: Installation;
  beforeAll(async () => {
    howdah = new Installation({ env: { HOWDAH_POOL_SIZE: "1" } });
    await howdah.ok(["server", "start"]);
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  const project = (name: string, text: string) => {
    const cwd = join(howdah.folder, name);
    mkdirSync(join(cwd, "init"), { recursive: true });
    writeFileSync(join(cwd, "init/1.sql"), INIT_SQL);
    writeFileSync(join(cwd, "init/2.sh"), INIT_SH);
    writeFileSync(join(cwd, "init/3.sql"), INIT_LAST);
    writeFileSync(join(cwd, "compose.yaml"), text);
    return { cwd };
  };

  /** Runs the command and kills control after a while; 127 milliseconds or so are Node's own start. */
  async function killedDuring(args: string[], maxMs: number, options: { cwd?: string } = {}) {
    await howdah.ok(["server", "start"]);
    const control = await howdah.controlPid();
    const afterMs = random.between(100, maxMs);
    const child = howdah.spawn(args, options);
    child.stdin?.end();
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const ended = new Promise<number | null>((done) => child.once("close", done));
    await delay(afterMs);
    try {
      process.kill(control, "SIGKILL");
    } catch {
      // 'server stop' was quicker.
      expect(args[1]).toBe("stop");
    }
    const [code, [, stderr]] = [await ended, await output];
    console.log(`'${args.join(" ")}' killed after ${Math.round(afterMs)} ms: ${code} ${stderr.split("\n")[0]}`);
    return { code, stderr };
  }

  it("a creation with init scripts: they ran once, or there is no service", async () => {
    for (let n = 0; n < 10; n++) {
      const at = project(`scripts-${n}`, compose({ password: "scripts" }));
      const { code } = await killedDuring(["up"], 3_500, at);
      const services = await expectConverged(howdah);
      const made = services.find((s) => s.project === `scripts-${n}`);
      if (code === 0) expect(made).toBeDefined();
      if (made === undefined) continue;
      const rows = await query(
        await howdah.url(made.slug),
        "select script, count(*)::int as n from ran group by script order by script",
      );
      expect(rows).toEqual([
        { script: "last", n: 1 },
        { script: "sql", n: 20_001 },
      ]);
      await howdah.ok(["services", "remove", made.slug, "-y"]);
      await expectConverged(howdah);
    }
  });

  it("'services remove', and bringing it back", async () => {
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "kept", "-y"]);
    await query(await howdah.url("kept"), "create table answers as select 42 as answer");
    const { endpoint } = (await howdah.json(["services", "list"]))[0];
    for (let n = 0; n < 8; n++) {
      await killedDuring(["services", "remove", "kept", "-y"], 500);
      let services = await expectConverged(howdah);
      if (services.length > 0) await howdah.ok(["services", "remove", "kept", "-y"]);
      expect(
        (await howdah.json(["services", "restore-removed"])).filter((t: { name: string }) => t.name === "kept"),
      ).toHaveLength(1);
      await killedDuring(["services", "restore-removed", "kept"], 500);
      services = await expectConverged(howdah);
      if (services.length === 0) await howdah.ok(["services", "restore-removed", "kept"]);
      else if (services[0].status === "stopped") await howdah.ok(["services", "start", "kept"]);
      expect(await query(await howdah.url("kept"), "select answer from answers")).toEqual([{ answer: 42 }]);
      expect((await howdah.json(["services", "list"]))[0].endpoint).toEqual(endpoint);
    }
    await howdah.ok(["services", "remove", "kept", "-y"]);
  });

  it("'engines install' and 'engines remove'", async () => {
    for (let n = 0; n < 4; n++) {
      await killedDuring(["engines", "install", "16"], 3_000);
      await howdah.ok(["engines", "install", "16"]);
      await expectConverged(howdah);
      await killedDuring(["engines", "remove", "16"], 400);
      await howdah.ok(["server", "start"]);
      await expectConverged(howdah);
      const { code, stderr } = await howdah.run(["engines", "remove", "16"]);
      if (code !== 0) expect(stderr).toContain("(ENGINE_NOT_INSTALLED)");
      await expectConverged(howdah);
      const left = readdirSync(join(howdah.home, "engines")).filter((name) => name.includes("16"));
      expect(left).toEqual([]);
    }
  });

  it("'up' with a changed password, setting or port", async () => {
    const now = {
      password: "first",
      workMem: "4MB",
      connections: 30,
      port: 21_000 + Math.floor(random.between(0, 9_000)),
    };
    const at = project("changes", compose(now));
    await howdah.ok(["up"], at);
    for (let n = 0; n < 14; n++) {
      const what = random.pick(["password", "workMem", "connections", "port"]);
      if (what === "password") now.password = `p${Math.floor(random.next() * 1e9)}`;
      if (what === "workMem") now.workMem = `${Math.round(random.between(1, 64))}MB`;
      if (what === "connections") now.connections = Math.round(random.between(10, 90));
      if (what === "port") now.port = 21_000 + Math.floor(random.between(0, 9_000));
      writeFileSync(join(at.cwd, "compose.yaml"), compose(now));
      await killedDuring(["up"], 700, at);
      // The command may have been killed before it could ask; asking again is what a user would do.
      await howdah.ok(["up"], at);
      await expectConverged(howdah);
      const url = await howdah.url("database", at);
      expect(url).toBe(`postgresql://postgres:${now.password}@127.0.0.1:${now.port}/postgres`);
      const [row] = await query(
        url,
        "select current_setting('work_mem') as mem, current_setting('max_connections')::int as connections, (select count(*)::int from ran) as rows",
      );
      expect(row).toEqual({ mem: now.workMem, connections: now.connections, rows: 20_002 });
    }
    await howdah.ok(["down", "--volumes", "-y"], at);
  });

  it("'server stop --all'", async () => {
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "one", "-y"]);
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "two", "-y"]);
    for (let n = 0; n < 6; n++) {
      await killedDuring(["server", "stop", "--all"], 500);
      await howdah.ok(["server", "stop", "--all"]);
      expect(howdah.processes()).toEqual([]);
      await howdah.ok(["server", "start"]);
      expect(await expectConverged(howdah)).toHaveLength(2);
    }
    for (const name of ["one", "two"]) await howdah.ok(["services", "remove", name, "-y"]);
  });
});

describe("the first start of a fresh home, killed at a random moment", () => {
  it("is carried on with by the next command", async () => {
    for (let n = 0; n < 14; n++) {
      await using howdah = new Installation({ env: { HOWDAH_POOL_SIZE: "1" } });
      const create = ["services", "create", "-t", "postgres", "-n", "first", "-y"];
      const child = howdah.spawn(create);
      child.stdin?.end();
      child.stdout?.resume();
      child.stderr?.resume();
      const ended = new Promise((done) => child.once("close", done));
      const afterMs = random.between(150, 2_500);
      const kill = random.pick(["control", "everything"]);
      console.log(`first start: ${kill} killed after ${Math.round(afterMs)} ms`);
      await delay(afterMs);
      const victims = listProcesses().filter((p) => p.environ.includes(`HOWDAH_HOME=${howdah.home}\0`));
      for (const { pid, command } of victims) {
        const isControl = / server run /.test(`${command} `) && !/sh -c/.test(command);
        if (kill === "everything" || isControl) {
          try {
            process.kill(pid, "SIGKILL");
          } catch {
            // It had just ended by itself.
          }
        }
      }
      await ended;
      await howdah.run(create);
      expect(await expectConverged(howdah)).toHaveLength(1);
      const key = join(howdah.home, "encryption_key");
      expect(existsSync(key) && readFileSync(key, "utf8")).toMatch(/^howdah-key-1:/);
      await until("the pool is full", () => {
        const pool = join(howdah.home, "pool");
        const ready = readdirSync(pool).filter((name) => name.startsWith("ready-"));
        return ready.some((name) => readdirSync(join(pool, name)).filter((e) => e !== "engine.json").length === 1);
      });
    }
  });
});
