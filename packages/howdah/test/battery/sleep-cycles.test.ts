/**
 * Ledgers are written through hundreds of sleeps and wakes, while control or the gateway is killed at random. What was
 * acknowledged is there, in order; and a client sees an error only when its own connection was open as the gateway died.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectConverged } from "../support/converged.js";
import { connectTo, Installation, query, until } from "../support/installation.js";
import { Seeded } from "../support/seed.js";

const LEDGERS = 4;
/** Together 200. */
const CYCLES = 50;
const ROWS = 3;

interface Ledger {
  readonly name: string;
  readonly id: number;
  readonly url: string;
  readonly acknowledged: number[];
  next: number;
}

/** When a client's connection was begun, and when it failed. */
interface Failure {
  readonly from: number;
  readonly to: number;
  readonly error: unknown;
}

describe("ledgers through sleep and wake", () => {
  let howdah: Installation;
  let ledgers: Ledger[];
  const random = new Seeded("sleep-cycles");

  beforeAll(async () => {
    howdah = new Installation();
    ledgers = [];
    for (let i = 0; i < LEDGERS; i++) {
      const name = `ledger-${i}`;
      await howdah.ok(["services", "create", "-t", "postgres", "-n", name, "-s", "mode=flash", "-s", "timeout=1"]);
      const url = await howdah.url(name);
      await query(url, "create table entries (n int primary key, at timestamptz default clock_timestamp())");
      const { id } = await howdah.json(["services", "show", name]);
      ledgers.push({ name, id, url, acknowledged: [], next: 0 });
    }
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  /** As its file says: it may be the last one's, while the next one is on its way. */
  const controlPid = () => Number(JSON.parse(readFileSync(join(howdah.home, "server.json"), "utf8")).pid);
  const kill = (pid: number): boolean => {
    try {
      process.kill(pid, "SIGKILL");
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      return false;
    }
  };
  const isAsleep = ({ id }: Ledger) => !existsSync(join(howdah.home, "services", String(id), "data/postmaster.pid"));

  /** One life: it wakes for a client, takes a few rows, and sleeps again. */
  async function cycle(ledger: Ledger, failures: Failure[]): Promise<void> {
    let client: pg.Client | undefined;
    let from = Date.now();
    for (let written = 0; written < ROWS; ) {
      try {
        from = client === undefined ? Date.now() : from;
        client ??= await connectTo(ledger.url);
        await client.query("insert into entries (n) values ($1) on conflict do nothing", [ledger.next]);
        ledger.acknowledged.push(ledger.next++);
        written++;
      } catch (error) {
        failures.push({ from, to: Date.now(), error });
        await client?.end().catch(() => undefined);
        client = undefined;
      }
    }
    if (random.next() < 0.3) await delay(random.between(0, 300));
    await client?.end();
    await until(`${ledger.name} sleeps`, () => isAsleep(ledger), 60_000);
    await delay(random.between(0, 150));
  }

  async function run(cycles: number, fault: () => Promise<void>, pauseMs: [number, number]) {
    const failures: Failure[] = [];
    let over = false;
    const faults = (async () => {
      while (!over) {
        await delay(random.between(...pauseMs));
        if (!over) await fault();
      }
    })();
    const lives = ledgers.map(async (ledger) => {
      for (let i = 0; i < cycles; i++) await cycle(ledger, failures);
    });
    const ended = await Promise.allSettled(lives);
    over = true;
    await faults;
    for (const end of ended) if (end.status === "rejected") throw end.reason;
    return failures;
  }

  async function expectComplete() {
    await expectConverged(howdah);
    for (const { url, acknowledged } of ledgers) {
      const rows = await query(url, "select n from entries order by at, n");
      // Nothing was written that nobody asked for; what was acknowledged is there in its order.
      expect(rows.map(({ n }) => n)).toEqual(acknowledged);
    }
  }

  it(`${LEDGERS * CYCLES} cycles, control killed at random: no client sees an error`, async () => {
    let kills = 0;
    const fault = async () => {
      if (kill(controlPid())) kills++;
    };
    const failures = await run(CYCLES, fault, [1_000, 20_000]);
    console.log(`control was killed ${kills} times`);
    expect(failures).toEqual([]);
    await expectComplete();
    for (const { name } of ledgers) {
      const { sleep } = await howdah.json(["services", "show", name]);
      expect(sleep.wakes).toBeGreaterThanOrEqual(CYCLES);
    }
  }, 900_000);

  it("the gateway killed at random: only connections that are open then end", async () => {
    await howdah.ok(["server", "start"]);
    const kills: number[] = [];
    const failures = await run(15, async () => {
      const { gateway } = await howdah.json(["server", "status"]);
      if (gateway.pid === null) return;
      kills.push(Date.now());
      process.kill(gateway.pid, "SIGKILL");
      // Until this moment connections may end by it.
      await until("a new gateway is there", async () => {
        const next = (await howdah.json(["server", "status"])).gateway.pid;
        return next !== null && next !== gateway.pid;
      });
    }, [200, 2_500]);
    console.log(`the gateway was killed ${kills.length} times, ${failures.length} connections ended`);
    for (const { from, to, error } of failures) {
      expect(String(error)).not.toMatch(/ECONNREFUSED/);
      expect(
        kills.some((at) => from <= at + 50 && at <= to),
        `${error} from ${from} to ${to}, kills ${kills}`,
      ).toBe(true);
    }
    for (const { url, acknowledged } of ledgers) {
      const rows = await query(url, "select n from entries order by at, n");
      expect(rows.map(({ n }) => n)).toEqual(acknowledged);
    }
  }, 600_000);
});
