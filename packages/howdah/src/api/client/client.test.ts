import { EventEmitter, once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HowdahError } from "../../kernel/errors.js";
import { literal, Stack } from "../../spec/index.js";
import { API_KEY, PASSWORD, serviceView } from "../testing/fake-control.js";
import { ServedApi } from "../testing/serve.js";
import { createClient, type HowdahClient, type WireService } from "./index.js";

let served: ServedApi;
let client: HowdahClient;

beforeEach(async () => {
  served = await ServedApi.start();
  served.control.set(serviceView());
  client = served.client();
});
afterEach(async () => served[Symbol.asyncDispose]());

describe("round trips", () => {
  test("services", async () => {
    const [first] = await client.services.list();
    expect(first).toMatchObject({ id: 1, status: "running", version: "18.4", endpoint: { port: 5432 } });
    expect(await client.services.list({ project: "other" })).toEqual([]);
    const details = await client.services.details(1, { reveal: true });
    expect(details.current_parameters["password"]).toBe(PASSWORD);
    expect((await client.services.find("default/database")).service).toEqual(first);
    expect((await client.services.find("database", { project: "default" })).service).toEqual(first);
    served.control.instantly = false;
    const created = await client.services.create({ name: "b", service_type: "postgres", parameters: {}, project: "p" });
    expect(created).toMatchObject({ name: "b", project: "p", status: "creating", busy: true });
    expect(await client.services.update(2, { parameters: { "set.jit": "off" } })).toMatchObject({ id: 2 });
    expect(await client.services.stop(2)).toMatchObject({ desired: "stopped" });
    expect(await client.services.start(2)).toMatchObject({ desired: "running" });
    expect(await client.services.restart(2)).toMatchObject({ id: 2 });
    expect(await client.services.remove(2)).toBeUndefined();
    expect(served.control.rows.get(2)?.desired).toBe("deleted");
  });

  test("when they sleep and how they are reached", async () => {
    const policy = { listen: "0.0.0.0", ssl: null, allow: ["10.0.0.0/8"], holdMs: 5_000 };
    served.control.set(
      serviceView({
        id: 2,
        state: "sleeping",
        mode: { kind: "flash", timeoutMs: 3_000 },
        policy,
        ssl: "require",
        sleep: {
          awakeBecause: null,
          connections: 0,
          wakes: 7,
          lastWakeMs: 31.5,
          lastWakeAt: 1_000,
          asleepSince: 2_000,
          asleepMs: 86_400_000,
        },
      }),
    );
    const { service, current_parameters } = await client.services.details(2);
    expect(service).toMatchObject({
      status: "sleeping",
      mode: { kind: "flash", timeout_ms: 3_000 },
      ssl_mode: "require",
      listen: "0.0.0.0",
      allow: ["10.0.0.0/8"],
      hold_ms: 5_000,
      sleep: {
        awake_because: null,
        connections: 0,
        wakes: 7,
        last_wake_ms: 31.5,
        last_wake_at: "1970-01-01T00:00:01.000Z",
        asleep_since: "1970-01-01T00:00:02.000Z",
        asleep_ms: 86_400_000,
      },
    });
    expect(current_parameters).toMatchObject({ mode: "flash", timeout: "3s", listen: "0.0.0.0", allow: "10.0.0.0/8" });
    expect((await client.status()).services).toEqual({ total: 2, running: 1, sleeping: 1 });
    await client.services.update(2, { parameters: { timeout: 5 } });
    expect(served.control.calls.at(-1)?.args).toEqual([2, { mode: { kind: "flash", timeoutMs: 5_000 } }]);
    await expect(client.services.update(2, { parameters: { ssl: "off" } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      fields: { field: "parameters.ssl_mode" },
    });
    expect((await client.services.details(1)).service.mode).toEqual({ kind: "regular" });
  });

  test("connections", async () => {
    const since = 1_000;
    const held = { pid: null, client: "[::1]:50312", tls: true, state: "held" as const, since };
    const client1 = {
      service: "database",
      serviceId: 1,
      username: "me",
      database: "shop",
      application: "psql",
      ...held,
    };
    const client2 = { ...client1, serviceId: 2, pid: 99, tls: false, state: "connected" as const };
    served.control.clients = [client1, client2];
    const { serviceId: _, ...same } = client1;
    const wire = { ...same, service_id: 1, since: "1970-01-01T00:00:01.000Z" };
    expect(await client.services.connections(1)).toEqual([wire]);
    expect((await client.connections()).map((c) => [c.service_id, c.pid, c.state])).toEqual([
      [1, null, "held"],
      [2, 99, "connected"],
    ]);
    await expect(client.services.connections(7)).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND" });
  });

  test("metrics, as text and with a key", async () => {
    const answer = await fetch(`${served.url}/api/metrics`, { headers: { authorization: `Bearer ${API_KEY}` } });
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    expect(text).toMatch(/^# (HELP|TYPE) howdah_/m);
    expect((await client.metrics()).split("\n").length).toBe(text.split("\n").length);
    expect((await fetch(`${served.url}/api/metrics`)).status).toBe(401);
  });

  test("the gateway, its certificate and its authority", async () => {
    expect(await client.restartGateway()).toMatchObject({ pid: 4713, draining: [{ pid: 4712, sessions: 1 }] });
    expect((await client.status()).gateway.pid).toBe(4713);
    served.control.worker = { pid: null, version: null, startedAt: null, draining: [] };
    expect((await client.status()).gateway).toEqual({ pid: null, version: null, started_at: null, draining: [] });
    await expect(client.restartGateway()).rejects.toMatchObject({ code: "GATEWAY_UNREACHABLE" });
    for (const any of [client, served.remote()]) {
      expect(await any.ca()).toBe("-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n");
    }
    await expect(served.remote("wrong").ca()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    const issued = { cert: "issued", own: false, not_after: "2026-01-02T03:04:05.000Z", names: ["localhost"] };
    expect(await client.certificate()).toEqual(issued);
    expect(await client.useCertificate({ cert: "mine", key: "key of mine" })).toMatchObject({
      cert: "mine",
      own: true,
    });
    expect(await client.certificate()).toMatchObject({ own: true });
    await expect(client.useCertificate({ cert: "mine", key: "s3cret" })).rejects.toMatchObject({
      code: "CERTIFICATE_INVALID",
    });
    expect(await client.resetCertificate()).toEqual(issued);
    expect(served.log).not.toContain("s3cret");
  });

  test("stacks", async () => {
    const stack = Stack.parse({
      project: "shop",
      services: [{ name: "db", database: literal("db"), username: literal("db"), password: null }],
    });
    expect((await client.stacks.plan(stack)).changes).toEqual([
      { action: "create", service: "db", details: ["start it"] },
    ]);
    expect(served.control.calls.at(-1)?.args[0]).toEqual(stack);
    expect(await client.stacks.apply(stack)).toMatchObject({
      plan: { project: "shop" },
      services: [{ project: "shop" }],
      apps: [{ name: "web", command: "howdah run web -- npm start" }],
    });
    expect(await client.stacks.down("default", { volumes: true })).toHaveLength(1);
    expect(served.control.calls.at(-1)?.args).toEqual(["default", { volumes: true }]);
  });

  test("projects and configs", async () => {
    expect(await client.projects.list()).toEqual(["default"]);
    expect(await client.projects.environment("a b", "c/d")).toEqual({ PROJECT: "a b", NAME: "c/d" });
    expect(await client.configs.set("shop", "A", "v")).toBe(true);
    expect(await client.configs.set("shop", "A", "v", { ifNotSet: true })).toBe(false);
    expect(served.control.calls.at(-1)?.args).toEqual(["shop", "A", "v", { ifNotSet: true }]);
    expect(await client.configs.list("shop")).toEqual([
      { name: "POSTGRES_PASSWORD", updated_at: "2026-01-02T03:04:05.000Z" },
    ]);
    await expect(client.configs.remove("shop", "B")).rejects.toMatchObject({ code: "CONFIG_NOT_FOUND" });
  });

  test("engines", async () => {
    expect(await client.engines.list()).toMatchObject([{ major: 18, end_of_life: false }]);
    const progress: string[] = [];
    expect(await client.engines.install(17, (message) => progress.push(message))).toMatchObject({ major: 17 });
    expect(progress).toEqual(["downloading", "copying"]);
    await expect(client.engines.install(15)).rejects.toMatchObject({
      code: "ENGINE_DOWNLOAD_FAILED",
      message: "the registry does not answer",
    });
    await expect(client.engines.install(9)).rejects.toMatchObject({ code: "VERSION_UNSUPPORTED" });
    expect(await client.engines.remove(17)).toBeUndefined();
  });

  test("trash, keys, events, doctor, status", async () => {
    expect(await client.trash.list()).toMatchObject([{ name: "old", expires_at: "2026-01-09T03:04:05.000Z" }]);
    await client.trash.restore("shop/old", { as: "new" });
    expect(served.control.calls.at(-1)?.args).toEqual(["shop/old", { as: "new" }]);
    await client.trash.restore("3");
    expect(served.control.calls.at(-1)?.args).toEqual([3, {}]);
    expect(await client.keys.create("ci")).toMatchObject({ record: { name: "ci", last_used_at: null } });
    expect(await client.keys.list()).toHaveLength(1);
    await client.keys.remove(1);
    expect(await client.events({ serviceId: 1, limit: 5 })).toMatchObject([{ kind: "created", service_id: 1 }]);
    expect(served.control.calls.at(-1)?.args).toEqual([{ serviceId: 1, limit: 5 }]);
    expect(await client.doctor()).toEqual([
      { name: "disk", status: "warning", message: "little space is left", hint: "Free some." },
    ]);
    expect(await client.status()).toEqual({
      url: served.url,
      version: "1.2.3",
      home: served.folder,
      control: { pid: process.pid, started_at: "1970-01-01T00:00:00.000Z" },
      gateway: { pid: 4712, version: "1.2.3", started_at: "2026-01-02T03:04:05.000Z", draining: [] },
      services: { total: 1, running: 1, sleeping: 0 },
    });
    expect(await client.recoveryKey()).toBe("howdah-key-1:c2VjcmV0");
    await client.shutdown({ all: true });
    expect(served.shutdowns).toEqual([{ all: true }]);
  });

  test("a shutdown that could not stop a server says so", async () => {
    served.shutdownError = new HowdahError("POSTGRES_STOP_FAILED", "server 'default/database' does not stop");
    await expect(client.shutdown({ all: true })).rejects.toMatchObject({ code: "POSTGRES_STOP_FAILED" });
  });

  test("by TCP with a key", async () => {
    expect(await served.remote().services.list()).toHaveLength(1);
    await expect(served.remote("wrong").services.list()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect(served.remote().recoveryKey()).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(() => createClient({ url: "https://example.org", apiKey: "k" })).toThrow("not an http URL");
  });
});

describe("waiting", () => {
  const busy = () => served.control.change(1, { state: "creating", stateDetail: "initialising", busy: true });

  test("follows every change to the end", async () => {
    busy();
    const seen: string[] = [];
    const onChange = (s: WireService) => {
      seen.push(`${s.status}|${s.status_detail}`);
      if (seen.length === 1) served.control.change(1, { stateDetail: "starting" });
      if (seen.length === 2) served.control.change(1, { state: "running", stateDetail: null, busy: false });
    };
    const end = await client.services.wait(1, { timeoutMs: 10_000, onChange });
    expect(end?.status).toBe("running");
    expect(seen).toEqual(["creating|initialising", "creating|starting", "running|null"]);
  });

  test("ends with the reason of a failure", async () => {
    busy();
    const waiting = client.services.wait(1, { timeoutMs: 10_000 });
    served.control.fail(1, new HowdahError("INIT_SCRIPT_FAILED", "script '1.sql' failed", { hint: "Read it." }));
    await expect(waiting).rejects.toMatchObject({
      code: "INIT_SCRIPT_FAILED",
      message: "script '1.sql' failed",
      hint: "Read it.",
    });
  });

  test("a failure of a service that was taken back is told, too", async () => {
    served.control.failures.set(9, new HowdahError("INITDB_FAILED", "no space"));
    await expect(client.services.wait(9, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: "INITDB_FAILED" });
  });

  test("null when it is gone, before or meanwhile", async () => {
    expect(await client.services.wait(9, { timeoutMs: 1_000 })).toBeNull();
    busy();
    served.control.change(1, { desired: "deleted" });
    const waiting = client.services.wait(1, { timeoutMs: 10_000, onChange: () => served.control.gone(1) });
    expect(await waiting).toBeNull();
  });

  test("a service that was to run and is gone is no success", async () => {
    busy();
    const waiting = client.services.wait(1, { timeoutMs: 10_000, onChange: () => served.control.gone(1) });
    await expect(waiting).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND" });
  });

  test("runs out of time with TIMEOUT that tells the state", async () => {
    busy();
    await expect(client.services.wait(1, { timeoutMs: 60, onChange: () => undefined })).rejects.toMatchObject({
      code: "TIMEOUT",
      message: "service 'database' is still 'creating' (initialising) after 0 s",
    });
  });

  test("survives a restart of the control process", async () => {
    busy();
    const changes = new EventEmitter();
    const first = once(changes, "change");
    const waiting = client.services.wait(1, { timeoutMs: 20_000, onChange: () => changes.emit("change") });
    await first;
    await served.close();
    await expect(client.services.list()).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
    served.control.change(1, { state: "running", stateDetail: null, busy: false });
    await served.open();
    expect((await waiting)?.status).toBe("running");
  });

  test("is answered when the server is about to end, and goes on with the next one", async () => {
    busy();
    const waiting = client.services.wait(1, { timeoutMs: 20_000 });
    served.closing.abort();
    await expect(client.status()).rejects.toMatchObject({
      code: "SERVER_UNREACHABLE",
      message: "the server is about to end",
    });
    await served.close();
    served.control.change(1, { state: "running", stateDetail: null, busy: false });
    await served.open();
    expect((await waiting)?.status).toBe("running");
  });

  test("can be given up", async () => {
    busy();
    const giveUp = new AbortController();
    const waiting = client.services.wait(1, {
      timeoutMs: 20_000,
      signal: giveUp.signal,
      onChange: () => giveUp.abort(new Error("enough")),
    });
    await expect(waiting).rejects.toThrow("enough");
  });
});

describe("logs", () => {
  const line = (message: string) => ({ at: "2026-01-02T03:04:05.000Z", level: "LOG", message });

  test("the last lines", async () => {
    for (const message of ["a", "größer\nzwei", "c"]) served.control.addLine(1, line(message));
    const lines = [];
    for await (const l of client.services.logs(1, { lines: 2, follow: false })) lines.push(l);
    expect(lines).toEqual([line("größer\nzwei"), line("c")]);
  });

  test("followed until given up, and nothing stays behind on the server", async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    served.control.addLine(1, line("first"));
    for await (const l of client.services.logs(1, { lines: 10, follow: true, signal: stop.signal })) {
      lines.push(l.message);
      if (l.message === "first") served.control.addLine(1, line("second"));
      else stop.abort();
    }
    expect(lines).toEqual(["first", "second"]);
    await expect.poll(() => served.control.following).toBe(0);
  });

  test("leaving the loop closes the connection", async () => {
    served.control.addLine(1, line("first"));
    for await (const _ of client.services.logs(1, { lines: 10, follow: true })) break;
    await expect.poll(() => served.control.following).toBe(0);
  });

  test("an error on the way is told", async () => {
    served.control.addLine(1, line("first"));
    const lines: string[] = [];
    const read = async () => {
      for await (const l of client.services.logs(1, { lines: 10, follow: true })) {
        lines.push(l.message);
        served.control.fail(1, new HowdahError("SERVICE_FAILED", "the log is gone"));
      }
    };
    await expect(read()).rejects.toMatchObject({ code: "SERVICE_FAILED", message: "the log is gone" });
    expect(lines).toEqual(["first"]);
  });

  test("of a service that is not there", async () => {
    const lines = client.services.logs(7, { lines: 1, follow: true });
    await expect(lines[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND" });
  });

  test("followed logs end when the server is about to", async () => {
    served.control.addLine(1, line("first"));
    const lines: string[] = [];
    for await (const l of client.services.logs(1, { lines: 10, follow: true })) {
      lines.push(l.message);
      served.closing.abort();
    }
    expect(lines).toEqual(["first"]);
  });
});

describe("a server that is not as it should be", () => {
  async function answering(listener: RequestListener, ask: (client: HowdahClient) => Promise<unknown>) {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      return await ask(createClient({ url: `http://127.0.0.1:${port}`, apiKey: "k" }));
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
  const status = (c: HowdahClient) => c.status();

  test("a code that this client does not know becomes INTERNAL and keeps its words", async () => {
    const extensions = { code: "OF_THE_FUTURE", hint: "Update.", request_id: "r", fields: { a: 1, b: {}, c: ["x"] } };
    const body = JSON.stringify({ title: "T", detail: "something new", status: 418, extensions });
    const asked = answering((_q, r) => r.writeHead(418).end(body), status);
    await expect(asked).rejects.toMatchObject({
      code: "INTERNAL",
      message: "something new",
      hint: "Update.",
      fields: { a: 1, c: ["x"], request_id: "r" },
    });
  });

  test("answers of something else", async () => {
    const page = answering((_q, r) => r.writeHead(502).end("<html>"), status);
    await expect(page).rejects.toMatchObject({ code: "INTERNAL", message: expect.stringContaining("not JSON") });
    const other = answering((_q, r) => r.writeHead(404).end('"nothing here"'), status);
    await expect(other).rejects.toMatchObject({ code: "INTERNAL", message: "the server answered with HTTP 404" });
  });

  test("a connection that breaks off", async () => {
    const before = answering((q) => q.socket.destroy(), status);
    await expect(before).rejects.toMatchObject({ code: "SERVER_UNREACHABLE", fields: { errno: "ECONNRESET" } });
    const within = answering((q, r) => {
      r.writeHead(200, { "content-length": 100 }).write('{"half":');
      setImmediate(() => q.socket.destroy());
    }, status);
    await expect(within).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
    const install = answering(
      (q, r) => {
        r.writeHead(200).write('{"progress":"downloading"}\n');
        setImmediate(() => q.socket.destroy());
      },
      (c) => c.engines.install(17),
    );
    await expect(install).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
    const cut = answering(
      (_q, r) => r.writeHead(200).end('{"progress":"x"}\n'),
      (c) => c.engines.install(17),
    );
    await expect(cut).rejects.toMatchObject({ message: "the server ended before the engine was installed" });
  });

  test("a shutdown whose answer breaks off has worked", async () => {
    const asked = answering(
      (q, r) => {
        r.writeHead(200).write('{"progress":"stopping every service"}\n');
        setTimeout(() => q.socket.destroy(), 20);
      },
      (c) => c.shutdown({ all: true }),
    );
    await expect(asked).resolves.toBeUndefined();
  });

  test("nobody there", async () => {
    await expect(createClient({ socketPath: `${served.folder}/none` }).status()).rejects.toMatchObject({
      code: "SERVER_UNREACHABLE",
      message: `no server answers on '${served.folder}/none'`,
      fields: { errno: "ENOENT" },
    });
    const unused = createTcpServer();
    await new Promise<void>((resolve) => unused.listen(0, "127.0.0.1", resolve));
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    const asked = createClient({ url: `http://127.0.0.1:${port}`, apiKey: "k" }).status();
    await expect(asked).rejects.toMatchObject({ code: "SERVER_UNREACHABLE", fields: { errno: "ECONNREFUSED" } });
  });

  test.skipIf(process.getuid?.() === 0)(
    "a socket of somebody else is not waited for (skipped: root may open any)",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "howdah-api-"));
      await chmod(folder, 0o000);
      const foreign = createClient({ socketPath: join(folder, "api.sock") });
      await expect(foreign.services.wait(1, { timeoutMs: 20_000 })).rejects.toMatchObject({
        code: "SERVER_UNREACHABLE",
        fields: { errno: "EACCES" },
      });
      await rm(folder, { recursive: true });
    },
  );
});
