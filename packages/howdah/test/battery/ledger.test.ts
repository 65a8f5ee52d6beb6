/** A ledger is written row by row while everything around the client is killed: no acknowledged row may be missing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectConverged } from "../support/converged.js";
import { connectTo, Installation, listProcesses, query, until } from "../support/installation.js";
import { Seeded } from "../support/seed.js";

const ROUNDS = 40;

describe("a ledger under faults", () => {
  let howdah: Installation;
  let id: number;
  const random = new Seeded("ledger");
  beforeAll(async () => {
    howdah = new Installation();
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "ledger", "-y"]);
    id = (await howdah.json(["services", "show", "ledger"])).id;
    await query(await howdah.url("ledger"), "create table entries (n int primary key, at timestamptz default now())");
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  const data = () => join(howdah.home, "services", String(id), "data");
  const postmaster = () => Number(readFileSync(join(data(), "postmaster.pid"), "utf8").split("\n")[0]);
  const servers = () => listProcesses().filter((p) => p.cwd === data());
  const kill = (pid: number, signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // The server is just being started again, so the number in the file may be that of the last one.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  const backend = () => {
    const own = servers().filter((p) => /postgres: postgres \S+ \[local\]/.test(p.command));
    return own[Math.floor(random.next() * own.length)]?.pid;
  };

  /** Writes until told to stop, over a new connection whenever the last one broke. */
  function writer() {
    const acknowledged: number[] = [];
    let stopped = false;
    const done = (async () => {
      let client: pg.Client | undefined;
      for (let n = 0; !stopped; ) {
        try {
          client ??= await connectTo(await url());
          await client.query("insert into entries (n) values ($1) on conflict do nothing", [n]);
          acknowledged.push(n++);
        } catch {
          // Not acknowledged, so written again: the row may be there or not.
          await client?.end().catch(() => undefined);
          client = undefined;
          await delay(10);
        }
      }
      await client?.end();
    })();
    return {
      acknowledged,
      stop: async () => {
        stopped = true;
        await done;
        return acknowledged;
      },
    };
  }

  let password = "";
  const port = async () => (await howdah.json(["services", "show", "ledger"])).endpoint.port as number;
  let endpoint = 0;
  const url = async () => `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${endpoint}/postgres`;

  const faults: Record<string, () => Promise<unknown>> = {
    "kill the postmaster": async () => kill(postmaster(), "SIGKILL"),
    "kill every process of the server": async () => {
      for (const { pid } of servers()) kill(pid, "SIGKILL");
    },
    "kill one backend": async () => {
      const pid = backend();
      if (pid !== undefined) kill(pid, "SIGKILL");
    },
    "stop and continue the postmaster": async () => {
      const pid = postmaster();
      kill(pid, "SIGSTOP");
      await delay(random.between(50, 800));
      kill(pid, "SIGCONT");
    },
    "kill the postmaster while it is stopped": async () => {
      const pid = postmaster();
      kill(pid, "SIGSTOP");
      await delay(random.between(10, 100));
      kill(pid, "SIGKILL");
    },
    "kill the gateway worker": async () => {
      for (const pid of howdah.gateway().workers) kill(pid, "SIGKILL");
    },
    "kill the keeper": async () => {
      for (const pid of howdah.gateway().keepers) kill(pid, "SIGKILL");
    },
    "kill the whole gateway": async () => {
      const { keepers, workers } = howdah.gateway();
      for (const pid of random.next() < 0.5 ? [...keepers, ...workers] : [...workers, ...keepers]) kill(pid, "SIGKILL");
    },
    "kill control and the gateway worker": async () => {
      kill(await howdah.controlPid(), "SIGKILL");
      for (const pid of howdah.gateway().workers) kill(pid, "SIGKILL");
    },
    "server restart": () => howdah.ok(["server", "restart"]),
    "kill control during a server restart": async () => {
      const control = await howdah.controlPid();
      const restarted = howdah.run(["server", "restart"]);
      await delay(random.between(150, 1_000));
      kill(control, "SIGKILL");
      await restarted;
    },
    "kill the gateway worker during a handover": async () => {
      const restarted = howdah.run(["server", "restart"]);
      await delay(random.between(300, 2_000));
      for (const pid of howdah.gateway().workers) kill(pid, "SIGKILL");
      await restarted;
    },
    "kill control": async () => kill(await howdah.controlPid(), "SIGKILL"),
    "kill control and postmaster": async () => {
      kill(await howdah.controlPid(), "SIGKILL");
      kill(postmaster(), "SIGKILL");
    },
    restart: () => howdah.ok(["services", "restart", "ledger"]),
    "kill control during a restart": async () => {
      const control = await howdah.controlPid();
      const restarted = howdah.ok(["services", "restart", "ledger"]);
      await delay(random.between(150, 500));
      kill(control, "SIGKILL");
      await restarted;
    },
    "change a setting by reload": () =>
      howdah.ok(["services", "update", "ledger", "-s", `set.work_mem=${Math.round(random.between(1, 32))}MB`]),
    "change a setting by restart": () =>
      howdah.ok(["services", "update", "ledger", "-s", `set.max_connections=${Math.round(random.between(20, 60))}`]),
    "change the password": async () => {
      const next = `pw-${random.next()}`;
      await howdah.ok(["services", "update", "ledger", "-s", `password=${next}`]);
      password = next;
    },
    "stop, start": async () => {
      await howdah.ok(["services", "stop", "ledger"]);
      await howdah.ok(["services", "start", "ledger"]);
    },
    "server stop --all, start": async () => {
      await howdah.ok(["server", "stop", "--all"]);
      await howdah.ok(["server", "start"]);
    },
  };

  it(`keeps every acknowledged row through ${ROUNDS} faults`, async () => {
    await howdah.ok(["services", "update", "ledger", "-s", "password=first"]);
    password = "first";
    endpoint = await port();
    const names = Object.keys(faults);
    const ledger = writer();
    try {
      for (let round = 0; round < ROUNDS; round++) {
        // Every fault at least once, then by chance.
        const name = names[round] ?? names[Math.floor(random.next() * names.length)] ?? "restart";
        await delay(random.between(0, 400));
        const before = ledger.acknowledged.length;
        console.log(`fault ${round}: ${name}, ${before} rows`);
        await faults[name]?.();
        await until("the ledger is written to again", () => ledger.acknowledged.length > before + 1, 60_000);
        expect(await port()).toBe(endpoint);
      }
    } finally {
      await ledger.stop();
    }
    await expectConverged(howdah);
    const rows = await query(await howdah.url("ledger"), "select n from entries order by n");
    const { acknowledged } = ledger;
    expect(acknowledged).toEqual(Array.from(acknowledged, (_, n) => n));
    expect(rows.slice(0, acknowledged.length).map((row) => row.n)).toEqual(acknowledged);
    const [order] = await query(
      await howdah.url("ledger"),
      "select count(*)::int as wrong from (select at < lag(at) over (order by n) as back from entries) t where back",
    );
    expect(order).toEqual({ wrong: 0 });
    console.log(`${acknowledged.length} rows acknowledged, none lost`);
  });
});
