/** A server that lives for seconds never sees its autovacuum: it is vacuumed before it sleeps, where it is due. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectTo, Installation, query, until } from "../support/installation.js";

const CYCLES = 6;
const UPDATES = 50_000;

describe("dead tuples of a service in flash mode", () => {
  let howdah: Installation;
  beforeAll(() => {
    howdah = new Installation();
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  it(`${CYCLES} lives of 3 s with ${UPDATES} updates each leave no more than an autovacuum would`, async () => {
    const create = ["services", "create", "-t", "postgres", "-n"];
    await howdah.ok([...create, "awake", "-s", "set.autovacuum_naptime=1s"]);
    await howdah.ok([...create, "flash", "-s", "mode=flash", "-s", "timeout=3"]);
    const { id } = await howdah.json(["services", "show", "flash"]);
    const pidFile = join(howdah.home, "services", String(id), "data/postmaster.pid");
    const urls = { awake: await howdah.url("awake"), flash: await howdah.url("flash") };
    for (const url of Object.values(urls)) {
      await query(url, "create extension pgstattuple");
      await query(url, `create table t as select i, 0 as v from generate_series(1, ${UPDATES}) i`);
    }
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      for (const url of Object.values(urls)) {
        const client = await connectTo(url);
        await client.query("update t set v = v + 1");
        await client.end();
      }
      await until("it sleeps", () => !existsSync(pidFile), 60_000);
    }
    // The other one's autovacuum looks every second; it gets the time to.
    const dead = async (url: string) =>
      Number((await query(url, "select dead_tuple_count from pgstattuple('t')"))[0].dead_tuple_count);
    await until("autovacuum has come by", async () => (await dead(urls.awake)) < UPDATES / 2, 60_000);
    const counts = { awake: await dead(urls.awake), flash: await dead(urls.flash) };
    console.log(`dead tuples: ${JSON.stringify(counts)}`);
    expect(counts.flash).toBeLessThanOrEqual(Math.max(counts.awake, 50 + 0.2 * UPDATES));
    const events = await howdah.json(["services", "events", "flash"]);
    expect(
      events.some((e: { kind: string; message: string }) => e.kind === "vacuumed" && /\bt\b/.test(e.message)),
    ).toBe(true);
  }, 300_000);
});
