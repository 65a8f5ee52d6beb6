/** Thirty services at once on a small machine. Times and memory are printed for people, never asserted. */

import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectConverged, settledServices } from "../support/converged.js";
import { Installation, listProcesses, query, text } from "../support/installation.js";

const SERVICES = 30;
const IDLE_MS = 15_000;

describe(`${SERVICES} services`, () => {
  let howdah: Installation;
  beforeAll(() => {
    howdah = new Installation({ env: { HOWDAH_POOL_SIZE: "2" } });
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  const post = (path: string, body: unknown) =>
    new Promise<{ status: number; body: string }>((done, fail) => {
      const socketPath = join(howdah.home, "sockets/api.sock");
      const headers = { "content-type": "application/json" };
      const sent = request({ socketPath, path, method: "POST", headers }, (response) => {
        text(response).then((answer) => done({ status: response.statusCode ?? 0, body: answer }), fail);
      });
      sent.once("error", fail);
      sent.end(JSON.stringify(body));
    });

  /** Of the control process alone; ticks are hundredths of a second. */
  function use(pid: number): { residentMb: number; cpuMs: number } {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return {
      residentMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
      cpuMs: (Number(stat[11]) + Number(stat[12])) * 10,
    };
  }

  it("all come up when they are created at once through the API", async () => {
    await howdah.ok(["server", "start"]);
    const began = Date.now();
    const answers = await Promise.all(
      Array.from({ length: SERVICES }, (_, n) =>
        post("/api/external-services", { name: `s${n}`, service_type: "postgres", parameters: {} }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
    const services = await expectConverged(howdah);
    expect(services).toHaveLength(SERVICES);
    expect(new Set(services.map((s) => s.endpoint.port)).size).toBe(SERVICES);
    const pid = await howdah.controlPid();
    console.log(`${SERVICES} created in ${Date.now() - began} ms; control has ${use(pid).residentMb} MB`);
  });

  it("control is idle when nothing happens", async () => {
    const pid = await howdah.controlPid();
    await delay(3_000);
    const before = use(pid);
    await delay(IDLE_MS);
    const after = use(pid);
    console.log(`idle: ${after.cpuMs - before.cpuMs} ms of CPU in ${IDLE_MS} ms; ${after.residentMb} MB`);
    expect(await howdah.controlPid()).toBe(pid);
  });

  it("all are back after 'server stop --all' and 'server start'", async () => {
    const before = await settledServices(howdah);
    let began = Date.now();
    await howdah.ok(["server", "stop", "--all"]);
    console.log(`all stopped in ${Date.now() - began} ms`);
    expect(howdah.processes()).toEqual([]);
    began = Date.now();
    await howdah.ok(["server", "start"]);
    const after = await expectConverged(howdah);
    console.log(`all back in ${Date.now() - began} ms`);
    expect(after.map((s) => [s.name, s.endpoint])).toEqual(before.map((s) => [s.name, s.endpoint]));
  });

  it("all are back after control and every postmaster were killed", async () => {
    process.kill(await howdah.controlPid(), "SIGKILL");
    for (const { pid } of listProcesses().filter((p) => p.cwd.startsWith(join(howdah.home, "services")))) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // A child that ended with its postmaster.
      }
    }
    const began = Date.now();
    const services = await expectConverged(howdah);
    console.log(`all back in ${Date.now() - began} ms`);
    expect(services).toHaveLength(SERVICES);
    expect(await query(await howdah.url("s29"), "select 1 as one")).toEqual([{ one: 1 }]);
  });
});
