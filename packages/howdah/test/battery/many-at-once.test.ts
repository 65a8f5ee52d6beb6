/** Several commands at once on one installation: one winner where there can be only one, and no other surprise. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectConverged } from "../support/converged.js";
import { Installation, listProcesses, query, until } from "../support/installation.js";
import { Seeded } from "../support/seed.js";

const COMPOSE = `
services:
  one:
    image: postgres:18
    x-defang-postgres: true
    environment: { POSTGRES_PASSWORD: one }
  two:
    image: postgres:18
    x-defang-postgres: true
    environment: { POSTGRES_PASSWORD: two }
`;

describe("many commands at once", () => {
  let howdah: Installation;
  let at: { cwd: string };
  beforeEach(() => {
    howdah = new Installation();
    at = { cwd: join(howdah.folder, "project") };
    mkdirSync(at.cwd);
    writeFileSync(join(at.cwd, "compose.yaml"), COMPOSE);
  });
  afterEach(() => howdah[Symbol.asyncDispose]());
  const times = <T>(n: number, make: (i: number) => Promise<T>) =>
    Promise.all(Array.from({ length: n }, (_, i) => make(i)));
  const supervisors = () =>
    listProcesses().filter((p) => p.command.includes("howdah-supervisor") && p.command.includes(` ${howdah.home} `));

  it("the same service created ten times is there once, also where no server ran", async () => {
    const results = await times(10, () => howdah.run(["services", "create", "-t", "postgres", "-n", "same", "-y"]));
    expect(results.map((r) => r.code).sort()).toEqual([0, ...Array(9).fill(5)]);
    for (const { code, stderr } of results) if (code !== 0) expect(stderr).toContain("(SERVICE_EXISTS)");
    expect(await expectConverged(howdah)).toHaveLength(1);
  });

  it("ten times 'up' of one project is one project", async () => {
    const results = await times(10, () => howdah.run(["up"], at));
    expect(results.filter((r) => r.code !== 0)).toEqual([]);
    expect(await expectConverged(howdah)).toHaveLength(2);
  });

  it("five times 'server start' is one server", async () => {
    const results = await times(5, () => howdah.run(["server", "start"]));
    expect(results.filter((r) => r.code !== 0)).toEqual([]);
    // Those that came second go as soon as they have seen it.
    const controls = () =>
      listProcesses().filter(
        (p) => p.environ.includes(`HOWDAH_HOME=${howdah.home}\0`) && / server run $/.test(p.command),
      );
    await until("one is left", () => controls().length === 1);
    expect(controls().map((p) => p.pid)).toEqual([await howdah.controlPid()]);
    expect(supervisors()).toHaveLength(1);
    await expectConverged(howdah);
  });

  it("'server stop', with and without --all, racing 'up' leaves a whole project or a stopped one", async () => {
    const random = new Seeded("stop races up");
    await howdah.ok(["up"], at);
    for (let round = 0; round < 12; round++) {
      const all = random.pick([true, false]);
      const wait = random.between(0, 600);
      console.log(`round ${round}: stop${all ? " --all" : ""} after ${Math.round(wait)} ms`);
      const upping = howdah.run(["up"], at);
      await delay(wait);
      const [stopped, upped] = await Promise.all([howdah.run(["server", "stop", ...(all ? ["--all"] : [])]), upping]);
      expect({ code: stopped.code, stderr: stopped.stderr }).toMatchObject({ code: 0 });
      // Whoever is told "no" is told why: the server ended under it.
      if (upped.code !== 0) expect(upped.stderr).toContain("(SERVER_UNREACHABLE)");
      await howdah.ok(["up"], at);
      expect(await expectConverged(howdah)).toHaveLength(2);
      expect(supervisors()).toHaveLength(1);
    }
  });

  it("services are created, restarted and removed by several hands", async () => {
    const random = new Seeded("several hands");
    const names = ["a", "b", "c"] as const;
    const documented = /\((SERVICE_EXISTS|SERVICE_NOT_FOUND|SERVICE_BUSY|TRASH_NOT_FOUND)\)/;
    await times(4, async () => {
      for (let n = 0; n < 8; n++) {
        const name = random.pick(names);
        const args = random.pick<string[]>([
          ["services", "create", "-t", "postgres", "-n", name, "-y"],
          ["services", "restart", name],
          ["services", "stop", name],
          ["services", "start", name],
          ["services", "remove", name, "-y"],
          ["services", "restore-removed", name],
        ]);
        const { code, stderr } = await howdah.run(args);
        if (code !== 0) expect({ args, refused: documented.test(stderr), stderr }).toMatchObject({ refused: true });
      }
    });
    const services = await expectConverged(howdah);
    for (const service of services) await howdah.ok(["services", "start", service.name]);
    for (const service of services) {
      expect(await query(await howdah.url(service.name), "select 1 as one")).toEqual([{ one: 1 }]);
    }
  });
});
