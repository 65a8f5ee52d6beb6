/**
 * Whoever comes at a bad moment waits, and then works: while a service wakes, restarts, is resized, has no backend free, or
 * while Howdah itself is gone. What waiting cannot help is told in words, and passwords hold from the moment they are set.
 */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flowDuring, PSQL, runPsql } from "../support/flow.js";
import { connectTo, Installation, query, until } from "../support/installation.js";
import { Seeded } from "../support/seed.js";

const random = new Seeded("gateway hold");
let howdah: Installation;

const create = (name: string, ...parameters: string[]) =>
  howdah.ok(["services", "create", "-t", "postgres", "-n", name, ...parameters.flatMap((p) => ["-s", p])]);
const update = (name: string, ...parameters: string[]) =>
  howdah.ok(["services", "update", name, ...parameters.flatMap((p) => ["-s", p])]);
const show = (name: string) => howdah.json(["services", "show", name]);
const untilAsleep = (name: string) => until("it sleeps", async () => (await show(name)).status === "sleeping");
const one = (url: string) => query(url, "select 1 as one");
const ONE = [{ one: 1 }];
const WRONG_PASSWORD = { code: "28P01" };
const withPassword = (url: string, password: string) => {
  const parsed = new URL(url);
  parsed.password = password;
  return parsed.href;
};
/** Whether something is decided yet. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise.then(() => "done"), delay(0, "pending")])) === "pending";
}
/** Kills control, and the loop that would start it again. */
async function killControl(): Promise<void> {
  const loops = howdah.processes().filter((p) => p.command.includes(`howdah-supervisor ${howdah.home} `));
  const pid = await howdah.controlPid();
  for (const loop of loops) process.kill(loop.pid, "SIGKILL");
  process.kill(pid, "SIGKILL");
}

beforeAll(async () => {
  howdah = new Installation();
  await create("main");
  await create("flash", "mode=flash", "timeout=1");
});
afterAll(() => howdah[Symbol.asyncDispose]());

describe("clients come", () => {
  const restarts: [string, () => Promise<unknown>][] = [
    ["while a service restarts", () => howdah.ok(["services", "restart", "main"])],
    ["while a setting is changed that needs a restart", () => update("main", "set.max_connections=31")],
    ["while its memory is changed", () => update("main", "memory=96Mi")],
    [
      "while it is restarted again and again",
      async () => {
        for (let n = 0; n < 4; n++) await howdah.ok(["services", "restart", "main"]);
      },
    ],
  ];
  it.each(restarts)("%s, and nobody is turned away", async (_, act) => {
    const { refused, answers } = await flowDuring(await howdah.url("main"), act);
    expect(refused).toEqual([]);
    expect(answers).toBeGreaterThan(0);
  });

  it("while its settings are reloaded or its limits change, and no connection ends", async () => {
    const { refused, broken } = await flowDuring(await howdah.url("main"), async () => {
      await update("main", "set.work_mem=3MB");
      await update("main", "hold=50s");
      await update("main", "allow=127.0.0.0/8");
    });
    expect({ refused, broken }).toEqual({ refused: [], broken: [] });
  });

  it("to a service that sleeps, one after another and many kinds at once", async () => {
    const url = await howdah.url("flash");
    for (let n = 0; n < 5; n++) {
      await untilAsleep("flash");
      // As it is about to sleep, asleep, and waking.
      await delay(random.between(0, 200));
      const { refused, broken } = await flowDuring(url, () => delay(random.between(0, 100)));
      expect({ refused, broken }).toEqual({ refused: [], broken: [] });
      // Just when it is put to sleep, too.
      await delay(random.between(950, 1_150));
      expect(await one(url)).toEqual(ONE);
    }
  });

  it("forty at a time to a server with five connections", async () => {
    await create("narrow", "set.max_connections=5");
    const url = await howdah.url("narrow");
    const failures: unknown[] = [];
    let answers = 0;
    const loop = async () => {
      for (let n = 0; n < 10; n++) {
        await query(url, "select pg_sleep($1)", [random.next() / 100]).then(
          () => answers++,
          (error: unknown) => failures.push(error),
        );
      }
    };
    await Promise.all(Array.from({ length: 40 }, loop));
    expect(failures).toEqual([]);
    expect(answers).toBe(400);
    expect(await query(url, "show max_connections")).toEqual([{ max_connections: "5" }]);
    await howdah.ok(["services", "remove", "narrow", "-y"]);
  });
});

describe("a password", () => {
  it("that is changed holds at once, the old one no more; who is connected stays", async () => {
    const before = await howdah.url("main");
    const client = await connectTo(before);
    await update("main", "password=second one");
    const after = withPassword(before, "second one");
    expect(await howdah.url("main")).toBe(after);
    await expect(one(before)).rejects.toMatchObject(WRONG_PASSWORD);
    expect(await one(after)).toEqual(ONE);
    expect((await client.query("select 1 as one")).rows).toEqual(ONE);
    await client.end();
    if (existsSync(PSQL)) {
      expect(await runPsql(after, "select 1")).toMatchObject({ code: 0, stdout: "1\n" });
      expect((await runPsql(before, "select 1")).stderr).toContain("password authentication failed");
    }
  });

  it("that is changed while the service sleeps holds when it is awake and when it sleeps again", async () => {
    const before = await howdah.url("flash");
    await untilAsleep("flash");
    await update("flash", "password=asleep");
    const after = withPassword(before, "asleep");
    await expect(one(before)).rejects.toMatchObject(WRONG_PASSWORD);
    expect(await one(after)).toEqual(ONE);
    await untilAsleep("flash");
    await expect(one(before)).rejects.toMatchObject(WRONG_PASSWORD);
    expect(await one(after)).toEqual(ONE);
  });

  it("that is changed by SQL holds at the next login", async () => {
    const url = await howdah.url("main");
    const as = (user: string, password: string) => {
      const parsed = new URL(withPassword(url, password));
      parsed.username = user;
      return parsed.href;
    };
    await query(url, "create role app login password 'p0'");
    for (let n = 0; n < 4; n++) {
      const session = await connectTo(as("app", `p${n}`));
      await session.query(`alter role app password 'p${n + 1}'`);
      expect(await one(as("app", `p${n + 1}`))).toEqual(ONE);
      await expect(one(as("app", `p${n}`))).rejects.toMatchObject(WRONG_PASSWORD);
      await session.end();
    }
    await query(url, "alter role app nologin");
    await expect(one(as("app", "p4"))).rejects.toMatchObject({ code: "28000" });
    await query(url, "drop role app");
    await expect(one(as("app", "p4"))).rejects.toMatchObject(WRONG_PASSWORD);
  });

  it("that is changed by SQL just before the sleep is the one that wakes", async () => {
    const url = await howdah.url("flash");
    await query(url, "create role late login password 'p0'");
    const as = (password: string) => {
      const parsed = new URL(withPassword(url, password));
      parsed.username = "late";
      return parsed.href;
    };
    for (let n = 0; n < 8; n++) {
      // Around the moment when the sleep is prepared.
      await delay(random.between(900, 1_150));
      await query(as(`p${n}`), `alter role late password 'p${n + 1}'`);
      if (n % 3 === 0) await untilAsleep("flash");
      const { wakes } = (await show("flash")).sleep;
      const wasAsleep = (await show("flash")).status === "sleeping";
      await expect(one(as(`p${n}`))).rejects.toMatchObject(WRONG_PASSWORD);
      if (wasAsleep) expect((await show("flash")).sleep.wakes).toBe(wakes);
      expect(await one(as(`p${n + 1}`))).toEqual(ONE);
    }
  });
});

describe("while control is dead", () => {
  it("a service that is awake lets in who was there before; one that sleeps is waited for", async () => {
    const urls = { main: await howdah.url("main"), flash: await howdah.url("flash") };
    expect(await one(urls.main)).toEqual(ONE);
    await untilAsleep("flash");
    const stays = await connectTo(urls.main);
    await killControl();
    for (let n = 0; n < 10; n++) expect(await one(urls.main)).toEqual(ONE);
    await expect(one(withPassword(urls.main, "wrong"))).rejects.toMatchObject(WRONG_PASSWORD);
    const waiting = Array.from({ length: 5 }, () => one(urls.flash));
    await delay(1_500);
    expect(await Promise.all(waiting.map(isPending))).toEqual(waiting.map(() => true));
    expect((await stays.query("select 1 as one")).rows).toEqual(ONE);
    await howdah.ok(["server", "start"]);
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => ONE));
    expect((await stays.query("select 1 as one")).rows).toEqual(ONE);
    await stays.end();
  });
});

describe("what waiting cannot help", () => {
  it.each(["main", "flash"])("a service that was stopped says so, and works when it is started: %s", async (name) => {
    const url = await howdah.url(name);
    const client = await connectTo(url);
    await howdah.ok(["services", "stop", name]);
    const refused = {
      code: "57P03",
      message: `service 'default/${name}' is stopped`,
      hint: `Start it with 'howdah services start default/${name}'.`,
    };
    await expect(one(url)).rejects.toMatchObject(refused);
    await expect(client.query("select 1")).rejects.toThrow();
    await client.end().catch(() => undefined);
    await expect(one(withPassword(url, "wrong"))).rejects.toMatchObject(WRONG_PASSWORD);
    if (existsSync(PSQL)) {
      const { stderr } = await runPsql(url, "select 1");
      expect(stderr).toContain(refused.message);
      expect(stderr).toContain(refused.hint);
    }
    await howdah.ok(["services", "start", name]);
    expect(await one(url)).toEqual(ONE);
  });

  it("a server that cannot be started is waited for as long as 'hold' says, and works when it is put right", async () => {
    await create("broken", "mode=flash", "timeout=1", "hold=2");
    const url = await howdah.url("broken");
    await untilAsleep("broken");
    const wal = join(howdah.home, "services", String((await show("broken")).id), "data/pg_wal");
    renameSync(wal, `${wal}.away`);
    const began = Date.now();
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => one(url)));
    console.log(`ten were refused after ${Date.now() - began} ms`);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "57P03" } });
      const { message, hint } = (answer as PromiseRejectedResult).reason;
      expect(message).toMatch(/broken/);
      expect(hint).toMatch(/howdah services (show|logs)/);
    }
    renameSync(`${wal}.away`, wal);
    await until(
      "it is let in",
      () =>
        one(url).then(
          () => true,
          (error: { code?: string }) => {
            expect(error.code).toBe("57P03");
            return false;
          },
        ),
      60_000,
    );
    await howdah.ok(["services", "remove", "broken", "-y"]);
  });

  it("a control that hangs is waited for as long as 'hold' says", async () => {
    await create("waits", "mode=flash", "timeout=1", "hold=2");
    const url = await howdah.url("waits");
    expect(await one(url)).toEqual(ONE);
    await untilAsleep("waits");
    const pid = await howdah.controlPid();
    process.kill(pid, "SIGSTOP");
    try {
      const began = Date.now();
      await expect(one(url)).rejects.toMatchObject({ code: "57P03", hint: expect.any(String) });
      console.log(`refused after ${Date.now() - began} ms`);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect(await one(url)).toEqual(ONE);
    await howdah.ok(["services", "remove", "waits", "-y"]);
  });
});

describe("'howdah server restart'", () => {
  it("ends no connection and no transaction, and turns nobody away", async () => {
    const url = await howdah.url("main");
    await query(url, "create table kept (n int)");
    const client = await connectTo(url);
    await client.query("begin");
    const { refused, broken } = await flowDuring(url, async () => {
      for (let n = 0; n < 3; n++) {
        await client.query("insert into kept values ($1)", [n]);
        await howdah.ok(["server", "restart"]);
      }
    });
    expect({ refused, broken }).toEqual({ refused: [], broken: [] });
    await client.query("commit");
    await client.end();
    expect(await query(url, "select n from kept order by n")).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    await until("the old gateways are gone", () => howdah.gateway().workers.length === 1);
  });
});

describe("an address", () => {
  const at = (url: string, port: number) => Object.assign(new URL(url), { port: String(port) }).href;
  const REFUSED = { code: "ECONNREFUSED" };

  it("that moves is refused from then on; who is connected stays, and the new one works", async () => {
    const before = await howdah.url("main");
    const { port } = (await show("main")).endpoint;
    const free = port + 50;
    const client = await connectTo(before);
    const backend = async () => (await client.query("select pg_backend_pid() as pid")).rows[0].pid;
    const pid = await backend();
    await update("main", `port=${free}`);
    expect(await howdah.url("main")).toBe(at(before, free));
    expect(await one(at(before, free))).toEqual(ONE);
    await expect(one(before)).rejects.toMatchObject(REFUSED);
    expect(await backend()).toBe(pid);
    await update("main", `port=${port}`);
    expect(await one(before)).toEqual(ONE);
    await expect(one(at(before, free))).rejects.toMatchObject(REFUSED);
    expect(await backend()).toBe(pid);
    await client.end();
  });

  it.each(["main", "flash"])("of a service that is removed is closed: %s", async (name) => {
    const url = await howdah.url(name);
    const client = await connectTo(url);
    await howdah.ok(["services", "remove", name, "-y"]);
    await expect(one(url)).rejects.toMatchObject(REFUSED);
    await expect(client.query("select 1")).rejects.toThrow();
    await client.end().catch(() => undefined);
    await howdah.ok(["services", "restore-removed", name]);
    expect(await one(url)).toEqual(ONE);
  });
});
