import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Installation, listProcesses, query, until } from "../support/installation.js";
import { Seeded } from "../support/seed.js";

const KILLS = 25;
const COMPOSE = `
name: battery
services:
  alpha:
    image: postgres:18
    x-defang-postgres: true
    environment: { POSTGRES_PASSWORD: alpha }
  beta:
    image: postgres:18
    x-defang-postgres: true
    environment: { POSTGRES_PASSWORD: beta }
`;

describe("the server killed at random moments of create, up and remove", () => {
  let howdah: Installation;
  const random = new Seeded("random kills");
  beforeAll(() => {
    howdah = new Installation({ env: { HOWDAH_POOL_SIZE: "1" } });
    mkdirSync(join(howdah.folder, "project"));
    writeFileSync(join(howdah.folder, "project/compose.yaml"), COMPOSE);
  });
  afterAll(() => howdah[Symbol.asyncDispose]());
  const at = () => ({ cwd: join(howdah.folder, "project") });

  // biome-ignore lint/suspicious/noExplicitAny: rows as the command line prints them
  const settled = (): Promise<any[]> =>
    until(
      "every service is settled",
      async () => {
        const services = await howdah.json(["services", "list"]);
        const waiting = services.some(
          (s: { busy: boolean; status: string }) => s.busy || !["running", "stopped"].includes(s.status),
        );
        return !waiting && services;
      },
      60_000,
    );

  async function converged(): Promise<void> {
    const services = await settled();
    const ids = services.map((s) => String(s.id)).sort();
    expect(readdirSync(join(howdah.home, "services")).sort()).toEqual(ids);
    const sockets = readdirSync(join(howdah.home, "sockets")).filter((n) => /^\d+$/.test(n));
    for (const socket of sockets) expect(ids).toContain(socket);
    const trash = await howdah.json(["services", "restore-removed"]);
    expect(readdirSync(join(howdah.home, "trash")).sort()).toEqual(
      trash.map((t: { id: number }) => String(t.id)).sort(),
    );
    const postmasters = services.map((s) => s.pid).filter((pid) => pid !== null);
    // Every postgres under this home is one of these postmasters or the child of one.
    for (const { pid, cwd } of listProcesses()) {
      if (!cwd.startsWith(join(howdah.home, "services"))) continue;
      const ppid = Number(
        readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) . /s, "")
          .split(" ")[0],
      );
      expect(postmasters.includes(pid) || postmasters.includes(ppid)).toBe(true);
    }
    expect(listProcesses().filter((p) => p.cwd.startsWith(join(howdah.home, "trash")))).toEqual([]);
    for (const service of services) {
      if (service.status !== "running") continue;
      const url = await howdah.url(`${service.project}/${service.name}`);
      expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
    }
  }

  it(`converges after each of ${KILLS} kills`, async () => {
    let created = 0;
    for (let n = 0; n < KILLS; n++) {
      await howdah.ok(["server", "start"]);
      const operation = random.pick(["create", "up", "down", "remove", "restart"]);
      const services = await howdah.json(["services", "list"]);
      const victim = services[Math.floor(random.next() * services.length)];
      const name = victim === undefined ? undefined : `${victim.project}/${victim.name}`;
      const args = {
        create: ["services", "create", "-t", "postgres", "-n", `made-${created++}`, "-y"],
        up: ["up"],
        down: ["down", "-p", "battery"],
        remove: name === undefined ? ["up"] : ["services", "remove", name, "-y"],
        restart: name === undefined ? ["up"] : ["services", "restart", name],
      }[operation];
      const control = await howdah.controlPid();
      const afterMs = random.between(0, 1_200);
      const child = howdah.spawn(args, at());
      child.stdout?.resume();
      child.stderr?.resume();
      child.stdin?.end();
      const ended = new Promise((done) => child.once("close", done));
      await new Promise((done) => setTimeout(done, afterMs));
      try {
        process.kill(control, "SIGKILL");
      } catch (error) {
        throw new Error(`control ${control} was gone before it was killed (kill ${n}, ${args.join(" ")})`, {
          cause: error,
        });
      }
      console.log(`kill ${n}: '${args.join(" ")}' after ${Math.round(afterMs)} ms`);
      await ended;
      await converged();
    }
  });

  it("frees every port and folder at the end", async () => {
    const services = await settled();
    for (const service of services) await howdah.ok(["services", "remove", `${service.project}/${service.name}`, "-y"]);
    await converged();
    for (const service of services) {
      const open = await new Promise((done) => {
        const socket = createConnection(service.endpoint.port, "127.0.0.1");
        socket.once("connect", () => done(true));
        socket.once("error", () => done(false));
      });
      expect(open).toBe(false);
    }
    expect(existsSync(join(howdah.home, "pool", ".tmp"))).toBe(false);
  });
});
