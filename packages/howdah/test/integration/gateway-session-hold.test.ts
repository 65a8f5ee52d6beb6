/** Clients are held, not turned away: while a server wakes, restarts, or has no backend free. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startupMessage } from "../../src/gateway/protocol/index.js";
import { Front, type FrontOptions, SERVICE } from "../../src/gateway/session/testing/front.js";
import { Wire } from "../../src/gateway/session/testing/wire.js";
import { connectAdmin, startServer, stopServer } from "../../src/postgres/index.js";
import type { ServerSpec } from "../../src/postgres/types.js";
import type { RoleSecret } from "../../src/spec/index.js";
import { silent, TestHome } from "../support/server.js";

let home: TestHome;
let spec: ServerSpec;
let secret: RoleSecret;
let front: Front;

const start = () => startServer(spec, { log: silent });
const stop = () => stopServer(spec, { mode: "fast", timeoutMs: 20_000, log: silent });
const open = async (o: FrontOptions = {}) => {
  const socketPath = join(spec.paths.socket, ".s.PGSQL.5432");
  return Front.open({ ...o, endpoint: { socketPath, ...o.endpoint }, verifier: async () => secret });
};
const deferred = () => {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
};
/** Until so many sessions are as described. */
const sessions = async (count: number, state: "held" | "connected") => {
  while (front.sessions.list(SERVICE).filter((info) => info.state === state).length !== count) await delay(2);
};
/** `once` would take pg's 'error' for a failure of the test. */
const endOf = (client: { once(event: "end", listener: () => void): unknown }) =>
  new Promise<void>((resolve) => client.once("end", resolve));
const withCode = (code: string, message: string) => Object.assign(new Error(message), { code, hint: "A hint." });

beforeAll(async () => {
  home = await TestHome.make();
  spec = await home.server({ fsync: "off", max_connections: "20", superuser_reserved_connections: "2" });
  await start();
  const admin = await connectAdmin(spec);
  await admin.query(
    "CREATE ROLE app LOGIN PASSWORD 'right'; CREATE ROLE narrow LOGIN PASSWORD 'right' CONNECTION LIMIT 1",
  );
  const { rows } = await admin.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'");
  secret = { role: "app", verifier: rows[0].rolpassword, canLogin: true, validUntil: null };
  await admin.end();
});
afterAll(() => home[Symbol.asyncDispose]());
beforeEach(async () => {
  front = await open();
});
afterEach(() => front[Symbol.asyncDispose]());

describe("a server that sleeps", () => {
  it("is woken once for a whole herd, and everybody is answered", async () => {
    await stop();
    front.sessions.setOpen(SERVICE, false);
    const awake = deferred();
    front.wake = async () => {
      await awake.promise;
      await start();
      front.sessions.setOpen(SERVICE, true);
    };
    const answers = Array.from({ length: 100 }, () => front.ask());
    await sessions(100, "held");
    expect(front.sessions.close(SERVICE, { unlessBusy: true })).toBe(0);
    awake.resolve();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, () => 1));
    expect(front.wakes).toHaveLength(1);
    expect(front.wakes[0]).toMatchObject({ service: SERVICE, role: "app", application: "", failed: null });
    expect(front.refusals).toEqual([]);
  });

  it("is reached as soon as it is said to be open, also without an answer to the question", async () => {
    front.sessions.setOpen(SERVICE, false);
    front.wake = () => new Promise(() => undefined);
    const answer = front.ask();
    await sessions(1, "held");
    front.sessions.setOpen(SERVICE, true);
    expect(await answer).toBe(1);
  });

  it("that cannot be woken is told in control's words", async () => {
    front.sessions.setOpen(SERVICE, false);
    front.wake = async () => {
      throw withCode("57P03", "the disk is full");
    };
    expect(await front.refusal()).toEqual({ code: "57P03", message: "the disk is full", hint: "A hint.", detail: "" });
    expect(front.refusals).toMatchObject([{ reason: "unavailable", role: "app" }]);
  });

  it("is waited for while control is away", async () => {
    front.sessions.setOpen(SERVICE, false);
    front.wake = async () => {
      if (front.wakes.length < 4) throw withCode("CONTROL_UNREACHABLE", "away");
    };
    expect(await front.ask()).toBe(1);
    expect(front.wakes).toHaveLength(4);
  });

  it("is waited for no longer than the hold limit", async () => {
    front.endpoint = { ...front.endpoint, holdMs: 50 };
    front.sessions.setOpen(SERVICE, false);
    front.wake = () => new Promise(() => undefined);
    expect(await front.refusal()).toMatchObject({
      code: "57P03",
      message: 'service "shop/db" took no connection within 50ms',
    });
    expect(front.refusals).toMatchObject([{ reason: "hold-limit" }]);
  });

  it("is not woken for one who cannot log in", async () => {
    front.sessions.setOpen(SERVICE, false);
    expect(await front.refusal({ password: "wrong" })).toMatchObject({ code: "28P01" });
    expect(front.wakes).toEqual([]);
    expect(front.activity).toEqual([]);
  });

  it("forgets a client that goes away, and shows it until then", async () => {
    front.sessions.setOpen(SERVICE, false);
    front.wake = () => new Promise(() => undefined);
    const client = front.client();
    client.connect().catch(() => undefined);
    await sessions(1, "held");
    expect(front.sessions.list(null)).toMatchObject([{ pid: null, state: "held", role: "app" }]);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await front.sessions.drained;
    expect(front.activity).toEqual([1, 0]);
    expect(front.refusals).toEqual([]);
    // The question is forgotten with its last asker: the next client asks anew.
    front.wake = async () => undefined;
    expect(await front.ask()).toBe(1);
  });
});

describe("closing", () => {
  it("counts whoever is connected or on the way, and leaves a busy service open if asked to", async () => {
    const client = front.client();
    await client.connect();
    expect(front.sessions.close(SERVICE, { unlessBusy: true })).toBe(1);
    expect(await front.ask()).toBe(1);
    expect(front.wakes).toEqual([]);
    expect(front.sessions.close(SERVICE, { unlessBusy: false })).toBe(1);
    front.wake = async () => front.sessions.setOpen(SERVICE, true);
    expect(await front.ask()).toBe(1);
    expect(front.wakes).toHaveLength(1);
    await client.end();
    await front.sessions.drained;
    expect(front.sessions.close(SERVICE, { unlessBusy: true })).toBe(0);
    expect(await front.ask()).toBe(1);
    expect(front.wakes).toHaveLength(2);
  });
});

describe("a server that goes away", () => {
  it("is asked for with the way it failed, and its clients are held", async () => {
    await stop();
    front.wake = () => start().then(() => undefined);
    expect(await front.ask()).toBe(1);
    expect(front.wakes.map(({ failed }) => failed)).toEqual(["ENOENT"]);
  });

  it("again and again costs no client its answer", async () => {
    let over = false;
    const restarts = (async () => {
      for (let i = 0; i < 5; i++) {
        await stop();
        await start();
        await delay(20);
      }
      over = true;
    })();
    let answers = 0;
    const errors: unknown[] = [];
    const clients = Array.from({ length: 6 }, async () => {
      while (!over) {
        const client = front.client();
        // Held until it is logged in; what happens to an open session is the server's affair.
        await client.connect().then(
          () => answers++,
          (error: unknown) => errors.push(error),
        );
        await client.end().catch(() => undefined);
      }
    });
    await Promise.all([restarts, ...clients]);
    expect(errors).toEqual([]);
    expect(answers).toBeGreaterThanOrEqual(clients.length);
  });

  it("ends the sessions it had, with its own last words", async () => {
    const client = front.client();
    await client.connect();
    const ended = endOf(client);
    const query = client.query("SELECT pg_sleep(60)");
    const words = expect(query).rejects.toMatchObject({ code: "57P01" });
    await delay(50);
    await stop();
    await words;
    await ended;
    await front.sessions.drained;
    await start();
  });
});

describe("a server without a free backend", () => {
  it("answers 300 clients nevertheless, in line", async () => {
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => front.ask({}, "SELECT 1 AS answer FROM pg_sleep(0.01)")),
    );
    expect(answers).toEqual(Array.from({ length: 300 }, () => 1));
    expect(front.refusals).toEqual([]);
  });

  it("is waited for up to the hold limit, and then says no itself", async () => {
    front.endpoint = { ...front.endpoint, holdMs: 400 };
    const clients = Array.from({ length: 18 }, () => front.client());
    await Promise.all(clients.map((client) => client.connect()));
    const refusals = await Promise.all([front.refusal(), front.refusal()]);
    for (const refusal of refusals) {
      expect(refusal.code).toBe("53300");
      expect(refusal.message).toContain("remaining connection slots are reserved");
    }
    expect(front.refusals).toMatchObject([{ reason: "hold-limit" }, { reason: "hold-limit" }]);
    const answer = front.ask();
    await sessions(1, "held");
    await clients[0]?.end();
    expect(await answer).toBe(1);
    await Promise.all(clients.slice(1).map((client) => client.end()));
  });

  it("for one role does not hold up another", async () => {
    const admin = await connectAdmin(spec);
    const { rows } = await admin.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'narrow'");
    await admin.end();
    const narrow: RoleSecret = { ...secret, role: "narrow", verifier: rows[0].rolpassword };
    front.verifier = async (role) => (role === "narrow" ? narrow : secret);
    const first = front.client({ user: "narrow" });
    await first.connect();
    const second = front.ask({ user: "narrow" });
    await sessions(1, "held");
    expect(await front.ask()).toBe(1);
    await first.end();
    expect(await second).toBe(1);
  });
});

describe("a client", () => {
  it("may have sent its first query already when it is let in", async () => {
    front.sessions.setOpen(SERVICE, false);
    const awake = deferred();
    front.wake = () => awake.promise;
    using wire = await Wire.to(front.port);
    wire.send(
      startupMessage(
        new Map([
          ["user", "app"],
          ["database", "postgres"],
        ]),
        0,
      ),
    );
    expect(await wire.prove("right")).toBe("R");
    await sessions(1, "held");
    const query = Buffer.from("Q\0\0\0\0SELECT 'early'\0", "latin1");
    query.writeInt32BE(query.length - 1, 1);
    wire.send(query.subarray(0, 3));
    await delay(20);
    wire.send(query.subarray(3));
    awake.resolve();
    const types: string[] = [];
    let row = "";
    while (types.filter((type) => type === "Z").length < 2) {
      const message = await wire.message();
      if (message === null) break;
      if (message.type === "D") row = message.body.toString("latin1");
      types.push(message.type);
    }
    expect(types.filter((type) => type !== "S").join("")).toBe("RKZTDCZ");
    expect(row).toContain("early");
  });

  it("that ends while its query runs leaves no session behind", async () => {
    const client = front.client();
    await client.connect();
    const query = client.query("SELECT pg_sleep(0.2)").catch(() => "broken");
    await delay(20);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    expect(await query).toBe("broken");
    await front.sessions.drained;
    const admin = await connectAdmin(spec);
    const others = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'app'";
    while ((await admin.query(others)).rows[0].n > 0) await delay(10);
    await admin.end();
  });

  it("without a hold limit is let through to a server that runs", async () => {
    front.endpoint = { ...front.endpoint, holdMs: 0 };
    expect(await Promise.all(Array.from({ length: 10 }, () => front.ask()))).toHaveLength(10);
  });

  it("can end all that there is", async () => {
    const clients = [front.client(), front.client()];
    await Promise.all(clients.map((client) => client.connect()));
    const ends = clients.map(endOf);
    expect(front.sessions.count).toBe(2);
    front.sessions.endAll();
    await Promise.all(ends);
    await front.sessions.drained;
    expect(front.sessions.count).toBe(0);
  });
});
