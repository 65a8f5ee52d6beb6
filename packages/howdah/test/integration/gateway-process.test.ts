/** The gateway's processes as control sees them: killed, handed over, left alone, with a real PostgreSQL behind them. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Endpoint, endGateway } from "../../src/gateway/index.js";
import { connectAdmin, startServer } from "../../src/postgres/index.js";
import type { ServerSpec } from "../../src/postgres/types.js";
import {
  claimUid,
  findFreePort,
  isAlive,
  listProcesses,
  type ProcessIdentity,
  prepareServiceFolders,
  readProcess,
  releaseUid,
  signalProcess,
  waitForExit,
} from "../../src/runtime/index.js";
import type { RoleSecret } from "../../src/spec/index.js";
import { FakeControl } from "../support/gateway.js";
import { until } from "../support/installation.js";
import { isRoot, silent, TestHome } from "../support/server.js";

const SERVICE = 1;
let home: TestHome;
let spec: ServerSpec;
let admin: pg.Client;
let uid: number | null;
let control: FakeControl;
let keeper: ProcessIdentity;
let taken: Set<number>;

async function verifier(role: string): Promise<RoleSecret | null> {
  const { rows } = await admin.query(
    `SELECT rolname AS role, rolpassword AS verifier, rolcanlogin AS "canLogin", NULL AS "validUntil"
     FROM pg_authid WHERE rolname = $1`,
    [role],
  );
  return rows[0] ?? null;
}

beforeAll(async () => {
  home = await TestHome.make();
  uid = isRoot ? await claimUid({ home: home.layout.home, taken: new Set() }) : null;
  spec = { ...(await home.server({ fsync: "off", max_connections: "100" })), socketGid: uid };
  await prepareServiceFolders(spec.paths, spec);
  await startServer(spec, { log: silent });
  admin = await connectAdmin(spec);
  await admin.query("CREATE ROLE app LOGIN PASSWORD 'right'");
});
afterAll(async () => {
  await admin.end();
  if (uid !== null) await releaseUid({ home: home.layout.home, uid });
  await home[Symbol.asyncDispose]();
});
beforeEach(async () => {
  taken = new Set();
  control = await FakeControl.start({ layout: home.layout, verifier, uid });
  keeper = await control.launch();
  await control.worker();
});
afterEach(async () => {
  await control[Symbol.asyncDispose]();
});

async function endpoint(id = SERVICE, fields: Partial<Endpoint> = {}): Promise<Endpoint> {
  const port = await findFreePort(taken, 27_000 + Math.floor(Math.random() * 40) * 100);
  taken.add(port);
  return {
    ...{ id, title: `test/${id}`, major: 18, host: "127.0.0.1", port, ssl: "off", allow: [], holdMs: 10_000 },
    socketPath: join(spec.paths.socket, ".s.PGSQL.5432"),
    open: true,
    ...fields,
  };
}

async function connect({ host, port }: Endpoint): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user: "app", password: "right", database: "postgres" });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

async function ask(at: Endpoint): Promise<number> {
  const client = await connect(at);
  try {
    return (await client.query("SELECT 1 AS one")).rows[0].one;
  } finally {
    await client.end();
  }
}

function identity(pid: number): ProcessIdentity {
  const found = readProcess(pid);
  if (found === null) throw new Error(`no process ${pid}`);
  return found;
}

describe("a worker", () => {
  it("listens where control says, moves on its word, and forgets", async () => {
    const [one, two] = [await endpoint(1), await endpoint(2)];
    await control.configure(one);
    await control.configure(two);
    expect([await ask(one), await ask(two)]).toEqual([1, 1]);
    const open = await connect(one);

    const moved = await endpoint(1);
    await control.configure(moved);
    expect(await ask(moved)).toBe(1);
    await expect(ask(one)).rejects.toMatchObject({ code: "ECONNREFUSED" });

    const worker = await control.worker();
    const beside = { ...moved, host: "0.0.0.0" };
    await worker.call("configure", beside);
    expect(await ask(beside)).toBe(1);
    await expect(worker.call("configure", { ...moved, port: two.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(worker.call("configure", { ...moved, host: "192.0.2.1" })).rejects.toMatchObject({
      code: "EADDRNOTAVAIL",
    });
    expect(await ask(beside)).toBe(1);

    await worker.call("remove", { id: 2 });
    await expect(ask(two)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect((await open.query("SELECT 2 AS two")).rows).toEqual([{ two: 2 }]);
    expect((await worker.call("sessions", { service: null })).sessions).toMatchObject([{ service: 1, role: "app" }]);
    expect((await worker.call("stats", {})).loggedIn).toBe(6);
    await open.end();
  });

  it("has no rights that a stranger could use", async ({ skip }) => {
    skip(!isRoot || process.platform !== "linux", "only root has rights to give up, and /proc tells");
    const { hello } = await control.worker();
    const status = readFileSync(`/proc/${hello.pid}/status`, "utf8");
    const id = String(uid);
    expect(status).toMatch(new RegExp(`^Uid:\\t${id}\\t${id}\\t${id}\\t${id}$`, "m"));
    expect(status).toMatch(new RegExp(`^Gid:\\t${id}\\t${id}\\t${id}\\t${id}$`, "m"));
    expect(/^Groups:(.*)$/m.exec(status)?.[1]?.trim()).toBe("");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
      expect(status).toMatch(new RegExp(`^${set}:\\t0+$`, "m"));
    }
    const environment = readFileSync(`/proc/${hello.pid}/environ`, "utf8").split("\0");
    const names = environment.map((each) => each.split("=")[0]).filter(Boolean);
    expect(names.sort()).toEqual(
      [
        "HOWDAH_HOME",
        "HOWDAH_LOG_LEVEL",
        "LANG",
        "LC_ALL",
        "NODE_CHANNEL_FD",
        "NODE_CHANNEL_SERIALIZATION_MODE",
      ].concat(["PATH", "TZ"]),
    );
  });

  it("that is killed under a stream of connections makes none of them fail", async () => {
    const at = await endpoint();
    await control.configure(at);
    const killed = (await control.worker()).hello.pid;
    let sent = 0;
    let refused = 0;
    let served = 0;
    let goOn = true;
    // A connection that the dead worker had taken is lost, and its client comes again; none may be refused.
    const stream = Array.from({ length: 4 }, async () => {
      while (goOn) {
        sent++;
        try {
          const one = await ask(at);
          served += one;
        } catch (error) {
          if ((error as { code?: string }).code === "ECONNREFUSED") refused++;
        }
      }
    });
    await until("some were served", () => served > 8);
    signalProcess(identity(killed), "SIGKILL");
    await control.worker(killed);
    const before = served;
    await until("more were served", () => served > before + 8);
    goOn = false;
    await Promise.all(stream);
    expect(refused).toBe(0);
    // Each of the four had at most one connection at that moment.
    expect(sent - served).toBeLessThanOrEqual(4);
    expect(isAlive(keeper)).toBe(true);
  });

  it("that is killed again and again is replaced again and again", async () => {
    const at = await endpoint();
    await control.configure(at);
    let last: number | undefined;
    for (let i = 0; i < 4; i++) {
      const { hello } = await control.worker(last);
      last = hello.pid;
      signalProcess(identity(hello.pid), "SIGKILL");
      expect(await ask(at)).toBe(1);
    }
  });

  it("serves while control is away, and is told everything when it comes back", async () => {
    const at = await endpoint();
    await control.configure(at);
    expect(await ask(at)).toBe(1);
    const open = await connect(at);
    await control.vanish();
    expect(await ask(at)).toBe(1);
    expect((await open.query("SELECT 2 AS two")).rows).toEqual([{ two: 2 }]);
    await control.appear();
    const { hello } = await control.worker();
    expect(hello.sessions).toEqual([{ service: SERVICE, count: 1 }]);
    expect(hello.listening).toEqual([SERVICE]);
    expect((await open.query("SELECT 3 AS three")).rows).toEqual([{ three: 3 }]);
    await open.end();
  });

  it("that dies while control is away leaves its clients waiting, not refused", async () => {
    const at = await endpoint();
    await control.configure(at);
    const { hello } = await control.worker();
    await control.vanish();
    signalProcess(identity(hello.pid), "SIGKILL");
    const answer = ask(at);
    const early = await Promise.race([answer.then(() => "answered"), delay(400, "waits")]);
    expect(early).toBe("waits");
    await control.appear();
    expect(await answer).toBe(1);
  });
});

describe("a handover", () => {
  it("touches no connection and refuses none", async () => {
    const at = await endpoint();
    await control.configure(at);
    const before = await control.worker();
    const open = await connect(at);
    let goOn = true;
    let served = 0;
    const stream = (async () => {
      while (goOn) {
        const one = await ask(at);
        served += one;
      }
    })();
    const { pid } = await before.call("handover", {});
    expect(pid).not.toBe(before.hello.pid);
    const after = await control.worker(before.hello.pid);
    expect(after.hello.pid).toBe(pid);
    await until("the old one drains", () => before.hello.draining);
    // And once more, so that two drain.
    const held = await connect(at);
    await after.call("handover", {});
    const last = await control.worker(pid);
    const seen = served;
    await until("more were served", () => served > seen + 2);
    goOn = false;
    await stream;
    for (const client of [open, held]) expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    expect(control.peers.size).toBe(3);
    const drained = identity(before.hello.pid);
    await open.end();
    expect(await waitForExit(drained, 10_000)).toBe(true);
    expect((await held.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await held.end();
    await until("both are gone", () => control.peers.size === 1);
    expect(await ask(at)).toBe(1);
    expect(last.hello.pid).toBe((await control.worker()).hello.pid);
  });

  it("to a successor that does not become ready leaves the old one in its place", async () => {
    const at = await endpoint();
    await control.configure(at);
    const before = await control.worker();
    control.mute = true;
    await expect(before.call("handover", {})).rejects.toMatchObject({
      code: "GATEWAY_UNREACHABLE",
      message: expect.stringContaining("did not become ready"),
    });
    control.mute = false;
    expect(before.hello.draining).toBe(false);
    expect(await ask(at)).toBe(1);
    await before.call("handover", {});
    expect(await ask(at)).toBe(1);
  });

  it("gives endpoints on that came while it was under way", async () => {
    const [one, two] = [await endpoint(1), await endpoint(2)];
    await control.configure(one);
    const before = await control.worker();
    const handover = before.call("handover", {});
    await before.call("configure", two);
    control.endpoints.set(2, two);
    await handover;
    const after = await control.worker(before.hello.pid);
    await after.call("configure", two);
    expect([await ask(one), await ask(two)]).toEqual([1, 1]);
  });
});

describe("a keeper", () => {
  it("that dies leaves connections and clients alone, and a new one takes its place", async () => {
    const at = await endpoint();
    await control.configure(at);
    const orphan = await control.worker();
    const open = await connect(at);
    signalProcess(keeper, "SIGKILL");
    await waitForExit(keeper, 10_000);
    await until("the worker notices", () => orphan.hello.keeper === null);
    expect(await ask(at)).toBe(1);
    await expect(orphan.call("handover", {})).rejects.toMatchObject({ code: "GATEWAY_UNREACHABLE" });

    const next = await control.launch();
    expect(next.pid).not.toBe(keeper.pid);
    const worker = await control.worker(orphan.hello.pid);
    expect(worker.hello.keeper).toBe(next.pid);
    expect(await ask(at)).toBe(1);
    expect((await open.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    expect(orphan.hello.draining).toBe(true);
    const drained = identity(orphan.hello.pid);
    await open.end();
    expect(await waitForExit(drained, 10_000)).toBe(true);
  });

  it("is found again by the next control, also when nothing is written of it", async () => {
    expect(await control.launch()).toMatchObject(keeper);
    rmSync(home.layout.gatewayInfo);
    expect(await control.launch()).toMatchObject(keeper);
  });

  it("is ended with all its workers, also when it is dead already", async () => {
    const at = await endpoint();
    await control.configure(at);
    const first = await control.worker();
    const open = await connect(at);
    await first.call("handover", {});
    await control.worker(first.hello.pid);
    const inGroup = () => listProcesses().filter(({ group }) => group === keeper.pid);
    expect(inGroup().length).toBe(3);
    await endGateway(home.layout);
    expect(inGroup()).toEqual([]);
    await expect(ask(at)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await open.end();

    keeper = await control.launch();
    await control.worker();
    signalProcess(keeper, "SIGKILL");
    await waitForExit(keeper, 10_000);
    await endGateway(home.layout);
    expect(inGroup()).toEqual([]);
  });

  it("ends the whole gateway at control's word", async () => {
    const { hello } = await control.worker();
    await (await control.worker()).call("end", {});
    expect(await waitForExit(keeper, 10_000)).toBe(true);
    expect(readProcess(hello.pid)).toBeNull();
  });
});
