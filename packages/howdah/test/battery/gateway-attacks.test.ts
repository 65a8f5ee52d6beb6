/**
 * The gateway under attack: nothing that a stranger sends wakes a service that sleeps, disturbs anybody who works, ends a
 * process of the gateway, or makes it grow without bound. The strangers come from the address that the good clients
 * come from, too.
 */
import { execFileSync } from "node:child_process";
import { chownSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ATTACKS, silentCrowd } from "../support/attacks.js";
import { copyCheckout, ordinaryUser } from "../support/checkout.js";
import { Installation, listProcesses, query, until } from "../support/installation.js";
import { Seeded } from "../support/seed.js";
import { SteadyClient } from "../support/steady-client.js";

const CROWD = 5_000;
/** What the worker may have at any time more than before the first attack: V8 lets garbage lie about. */
const MAX_GROWTH_MB = 160;
/** And what may be left in the end, when the garbage is collected. */
const MAX_LEFT_MB = 32;
const COLLECT_GARBAGE = fileURLToPath(new URL("../support/collect-garbage.mjs", import.meta.url));

const isRoot = process.getuid?.() === 0;
const user = isRoot ? ordinaryUser() : undefined;
const openFiles = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);

describe.each([
  { who: isRoot ? "root's gateway" : "the gateway of the user that runs the tests", as: undefined, skip: false },
  { who: "an ordinary user's gateway (needs root and the user 'howdahtest')", as: user, skip: user === undefined },
])("$who under attack", ({ as, skip }) => {
  if (skip) {
    it.skip("there is no such user");
    return;
  }
  const random = new Seeded("gateway attacks");
  let checkout: Installation | undefined;
  let howdah: Installation;
  let steady: SteadyClient;
  let urls: { sleeping: string; awake: string };
  let ports: { sleeping: number; awake: number };
  let data: string;
  let wakes = 0;
  let gateway: { keepers: number[]; workers: number[] };
  let rssBefore = 0;

  const show = (name: string) => howdah.json(["services", "show", name]);
  const rssMb = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.workers[0]}/status`, "utf8"))?.[1]) / 1_024;
  const isAsleep = async () => (await show("sleeping")).status === "sleeping";

  beforeAll(async () => {
    if (as !== undefined) {
      checkout = new Installation();
      howdah = new Installation({ user: as, program: copyCheckout(join(checkout.folder, "checkout"), 0o755) });
      chownSync(howdah.folder, as.uid, as.gid);
    } else howdah = new Installation();
    const create = ["services", "create", "-t", "postgres", "-s", "ssl=allow", "-n"];
    await howdah.ok([...create, "awake"]);
    await howdah.ok([...create, "sleeping", "-s", "mode=flash", "-s", "timeout=1"]);
    urls = { awake: await howdah.url("awake"), sleeping: await howdah.url("sleeping") };
    for (const url of Object.values(urls)) {
      await query(url, "create role app login password 'right'");
      await query(url, "create role nologin password 'right'");
    }
    const [awake, sleeping] = [await show("awake"), await show("sleeping")];
    ports = { awake: awake.endpoint.port, sleeping: sleeping.endpoint.port };
    data = join(howdah.home, "services", String(sleeping.id), "data");
    // What every gateway needs once somebody has come.
    for (let n = 0; n < 100; n++) await query(urls.awake, "select 1");
    await until("it sleeps", isAsleep);
    wakes = (await show("sleeping")).sleep.wakes;
    gateway = howdah.gateway();
    expect(gateway).toEqual({ keepers: [expect.any(Number)], workers: [expect.any(Number)] });
    rssBefore = rssMb();
    steady = await SteadyClient.start(urls.awake);
  });
  afterAll(async () => {
    await steady?.stop();
    await howdah?.[Symbol.asyncDispose]();
    await checkout?.[Symbol.asyncDispose]();
  });

  async function expectUnharmed(what: string) {
    const { status, sleep } = await show("sleeping");
    expect({ status, wakes: sleep.wakes }).toEqual({ status: "sleeping", wakes });
    expect(listProcesses().filter(({ cwd }) => cwd === data)).toEqual([]);
    expect(howdah.gateway()).toEqual(gateway);
    expect(steady.errors).toEqual([]);
    const rss = rssMb();
    console.log(`${what}\n  ${steady.summary()}\n  worker: ${rss.toFixed(1)} MB, ${rssBefore.toFixed(1)} before`);
    expect(rss).toBeLessThan(rssBefore + MAX_GROWTH_MB);
  }

  async function expectGoodClientsServed() {
    const began = performance.now();
    expect(await query(urls.awake, "select 1 as one")).toEqual([{ one: 1 }]);
    const between = performance.now();
    expect(await query(urls.sleeping, "select 1 as one")).toEqual([{ one: 1 }]);
    const [awake, asleep] = [between - began, performance.now() - between];
    console.log(`  good clients: ${awake.toFixed(1)} ms awake, ${asleep.toFixed(1)} ms asleep`);
    await until("it sleeps again", isAsleep);
    expect((await show("sleeping")).sleep.wakes).toBe(++wakes);
  }

  describe.each(["sleeping", "awake"] as const)("on a service that is %s:", (target) => {
    it.each(Object.keys(ATTACKS))("%s", async (name) => {
      const stage = { port: ports[target], random, backend: target === "awake" ? steady.backend : null };
      const result = await ATTACKS[name]?.(stage);
      await expectUnharmed(`${name}, ${target}: ${result}`);
      await expectGoodClientsServed();
    });

    it.skipIf(openFiles < 2 * CROWD + 500)(
      `${CROWD} at once who say nothing (needs ${2 * CROWD + 500} open files)`,
      async () => {
        await silentCrowd(ports[target], CROWD, async () => {
          await expectUnharmed(`a crowd of ${CROWD}, ${target}`);
          await expectGoodClientsServed();
        });
        await expectUnharmed("the crowd is gone");
        await expectGoodClientsServed();
      },
    );
  });

  it(`holds on to no more than ${MAX_LEFT_MB} MB in the end`, async () => {
    await steady.stop();
    expect(steady.errors).toEqual([]);
    execFileSync(process.execPath, ["--experimental-websocket", COLLECT_GARBAGE, String(gateway.workers[0])], {
      stdio: ["ignore", "inherit", "pipe"],
    });
    console.log(`worker: ${rssBefore.toFixed(1)} MB before, ${rssMb().toFixed(1)} MB after`);
    expect(rssMb()).toBeLessThan(rssBefore + MAX_LEFT_MB);
    expect(howdah.gateway()).toEqual(gateway);
  });
});
