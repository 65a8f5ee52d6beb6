import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../../kernel/log.js";
import type { GatewayHello } from "./contract.js";
import { ControlLink, type GatewayHandlers } from "./control-link.js";
import { type GatewayPeer, GatewayServer } from "./gateway-server.js";
import { MAX_TEXT } from "./messages.js";

const log = createLogger("silent");
const isRoot = process.getuid?.() === 0;
const SECRET = { role: "app", verifier: null, canLogin: true, validUntil: null };
let folder: string;
let path: string;
let server: GatewayServer;
let seen: { hellos: GatewayHello[]; activity: number[][]; cancels: unknown[]; refused: unknown[]; gone: number };
const peers = new Set<GatewayPeer>();
const links: ControlLink[] = [];
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "howdah-link-"));
  path = join(folder, "gateway.sock");
  peers.clear();
  seen = { hellos: [], activity: [], cancels: [], refused: [], gone: 0 };
  await appear();
});
afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

async function appear(): Promise<void> {
  server = new GatewayServer({
    log,
    handlers: { verifier: async ({ role }) => (role === "app" ? SECRET : null), wake: async () => undefined },
    onHello: (peer, hello) => {
      peers.add(peer);
      seen.hellos.push(hello);
    },
    onActivity: (_peer, service, sessions) => seen.activity.push([service, sessions]),
    onCancel: (_peer, cancel) => seen.cancels.push(cancel),
    onRefused: (_peer, refused) => seen.refused.push(refused),
    onGone: (peer) => {
      peers.delete(peer);
      seen.gone++;
    },
  });
  await server.listen(path, { gid: null });
}

function hello(fields: Partial<GatewayHello> = {}): GatewayHello {
  return { pid: 10, version: "1", startedAt: 1, keeper: 9, draining: false, sessions: [], listening: [], ...fields };
}

function link(
  state: { hello: GatewayHello },
  handlers: Partial<GatewayHandlers> = {},
  onWelcome: (said: GatewayHello) => void = () => undefined,
): ControlLink {
  const unexpected = () => {
    throw new Error("nobody asked for this");
  };
  const made = new ControlLink({
    path,
    log,
    waitMs: 2_000,
    hello: () => state.hello,
    onWelcome,
    handlers: {
      ...{ configure: unexpected, remove: unexpected, close: unexpected, open: unexpected, tls: unexpected },
      ...{
        cancel: unexpected,
        sessions: unexpected,
        stats: unexpected,
        handover: unexpected,
        drain: unexpected,
        end: unexpected,
      },
      ...handlers,
    },
  });
  links.push(made);
  made.start();
  return made;
}

async function stranger(...lines: string[]): Promise<void> {
  const socket = connect(path);
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(lines.map((line) => `${line}\n`).join(""));
  socket.resume();
  await once(socket, "close");
}

describe("the socket", () => {
  it("is for this user alone, or for root and the gateway's group, and replaces a stale one", async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await server.close();
    writeFileSync(path, "left behind");
    if (isRoot) chownSync(path, 70_123, 70_123);
    await appear();
    expect(statSync(path)).toMatchObject({ uid: process.getuid?.() });
  });

  it("may be reached by the gateway's group as root", async ({ skip }) => {
    skip(!isRoot, "only root can give a socket to another group");
    await server.close();
    const other = new GatewayServer({
      ...{ log, handlers: { verifier: async () => null, wake: async () => undefined } },
      ...{
        onHello: () => undefined,
        onActivity: () => undefined,
        onCancel: () => undefined,
        onRefused: () => undefined,
        onGone: () => undefined,
      },
    });
    await other.listen(path, { gid: 70_123 });
    const { mode, uid, gid } = statSync(path);
    expect({ mode: mode & 0o777, uid, gid }).toEqual({ mode: 0o660, uid: 0, gid: 70_123 });
    await other.close();
  });
});

describe("control and gateway", () => {
  it("say behind a hello what changed while it was on its way", async () => {
    const state = { hello: hello({ sessions: [{ service: 3, count: 2 }] }) };
    const said: GatewayHello[] = [];
    const worker = link(state, {}, (each) => {
      said.push(each);
      worker.notify("activity", { service: 3, sessions: 1 });
    });
    await expect.poll(() => seen.activity).toEqual([[3, 1]]);
    state.hello = hello({ keeper: null, sessions: [{ service: 3, count: 1 }] });
    await worker.sayHello();
    expect(said).toHaveLength(2);
    expect(said[1]).toEqual(state.hello);
    await expect.poll(() => seen.activity.length).toBe(2);
  });

  it("ask and tell each other", async () => {
    const state = { hello: hello({ sessions: [{ service: 3, count: 2 }], listening: [3] }) };
    const worker = link(state, { close: ({ id }) => ({ sessions: id }) });
    expect(await worker.verifier(3, "app")).toEqual(SECRET);
    expect(await worker.verifier(3, "other")).toBeNull();
    await worker.wake({ service: 3, role: "app", client: "c", application: "a".repeat(9_999), failed: null });
    worker.notify("activity", { service: 3, sessions: 1 });
    worker.notify("refused", { service: 3, reason: "password", count: 2, client: "127.0.0.1", role: null });
    worker.notify("cancel", { service: 3, pid: 77, secret: "0a0b0c0d" });
    await expect.poll(() => seen.cancels).toEqual([{ service: 3, pid: 77, secret: "0a0b0c0d" }]);
    await expect.poll(() => [seen.activity, seen.refused.length]).toEqual([[[3, 1]], 1]);
    const [peer] = peers;
    expect(peer?.hello).toEqual(state.hello);
    expect(await peer?.call("close", { id: 7, unlessBusy: true })).toEqual({ sessions: 7 });
    state.hello = hello({ draining: true });
    await worker.sayHello();
    expect(peer?.hello.draining).toBe(true);
    expect(seen.hellos.length).toBe(2);
  });

  it("find each other again, and questions wait meanwhile", async () => {
    const worker = link({ hello: hello() });
    expect(await worker.verifier(1, "app")).toEqual(SECRET);
    await server.close();
    await expect.poll(() => worker.connected).toBe(false);
    const waiting = worker.verifier(1, "app");
    await appear();
    expect(await waiting).toEqual(SECRET);
    expect([seen.gone, seen.hellos.length]).toEqual([1, 2]);
  });

  it("give up waiting for the other, but not looking for it", async () => {
    await server.close();
    const worker = new ControlLink({
      ...{ path, log, waitMs: 20, hello: () => hello() },
      handlers: {} as GatewayHandlers,
    });
    links.push(worker);
    worker.start();
    await expect(worker.verifier(1, "app")).rejects.toMatchObject({ code: "CONTROL_UNREACHABLE" });
    await appear();
    await expect.poll(() => worker.connected).toBe(true);
  });

  it("leave questions to the next control when this one is about to end", async () => {
    const worker = link({ hello: hello() });
    await worker.verifier(1, "app");
    server.leaveQuestions();
    const waiting = worker.verifier(1, "app");
    await server.close();
    await expect(waiting).rejects.toMatchObject({ code: "CONTROL_UNREACHABLE" });
  });

  it("do not ask for names that no role can have", async () => {
    await server.close();
    expect(await link({ hello: hello() }).verifier(1, "x".repeat(MAX_TEXT + 1))).toBeNull();
  });
});

describe("an orphaned worker", () => {
  it("is told to let go of its ports before the next one is introduced", async () => {
    const old = { hello: hello({ pid: 20, keeper: null }) };
    const order: string[] = [];
    const orphan = link(old, {
      drain: () => {
        order.push(`drain, ${peers.size} introduced`);
        old.hello = { ...old.hello, draining: true };
        void orphan.sayHello();
        return {};
      },
    });
    await expect.poll(() => peers.size).toBe(1);
    link({ hello: hello({ pid: 21 }) });
    await expect.poll(() => seen.hellos.map((h) => [h.pid, h.draining])).toContainEqual([21, false]);
    expect(order).toEqual(["drain, 1 introduced"]);
    await expect.poll(() => seen.hellos.map((h) => [h.pid, h.draining])).toContainEqual([20, true]);
  });
});

describe("a worker that was taken over", () => {
  const greeting = JSON.stringify({ id: 1, method: "hello", params: hello() });

  it.each([
    ["asks before it has said who it is", '{"id":1,"method":"verifier","params":{"service":1,"role":"app"}}'],
    ["tells before it has said who it is", '{"method":"activity","params":{"service":1,"sessions":1}}'],
    ["says nonsense of itself", '{"id":1,"method":"hello","params":{"pid":"x"}}'],
    ["asks for what there is not", greeting, '{"id":2,"method":"password","params":{}}'],
    ["names a service that is no number", greeting, '{"id":2,"method":"verifier","params":{"service":"1","role":"a"}}'],
    ["sends no parameters", greeting, '{"id":2,"method":"wake"}'],
    ["sends long texts", greeting, `{"id":2,"method":"verifier","params":{"service":1,"role":"${"x".repeat(257)}"}}`],
    ["tells negative numbers", greeting, '{"method":"activity","params":{"service":1,"sessions":-1}}'],
    ["tells of reasons that there are not", greeting, '{"method":"refused","params":{"service":1,"reason":"x"}}'],
  ])("is cut off when it %s", async (_what, ...lines) => {
    await stranger(...lines);
    expect(seen.activity).toEqual([]);
    expect(peers.size).toBe(0);
    // Others are served.
    expect(await link({ hello: hello() }).verifier(1, "app")).toEqual(SECRET);
  });
});
