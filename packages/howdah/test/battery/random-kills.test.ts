import { mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectConverged, settledServices } from "../support/converged.js";
import { Installation } from "../support/installation.js";
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
      await expectConverged(howdah);
    }
  });

  it("frees every port and folder at the end", async () => {
    const services = await settledServices(howdah);
    for (const service of services) await howdah.ok(["services", "remove", `${service.project}/${service.name}`, "-y"]);
    await expectConverged(howdah);
    for (const service of services) {
      const open = await new Promise((done) => {
        const socket = createConnection(service.endpoint.port, "127.0.0.1");
        socket.once("connect", () => done(true));
        socket.once("error", () => done(false));
      });
      expect(open).toBe(false);
    }
  });
});
