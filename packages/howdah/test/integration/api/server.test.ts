/** The control process itself, as `howdah server run` starts it: its doors, its files, its end. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClient, type HowdahClient } from "../../../src/api/client/index.js";
import { layoutOf } from "../../../src/runtime/layout.js";
import { Installation, text } from "../../support/installation.js";

let installation: Installation;
const started: { child: ChildProcess; exited: Promise<number | null>; stderr: Promise<string> }[] = [];

beforeEach(() => {
  installation = new Installation();
});
afterEach(async () => {
  for (const { child, exited } of started.splice(0)) {
    child.kill("SIGKILL");
    await exited;
  }
  await installation[Symbol.asyncDispose]();
});

function start(of: Installation = installation, env: Record<string, string> = {}) {
  const child = of.spawn(["server", "run"], { env });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const server = { child, exited, stderr: text(child.stderr) };
  started.push(server);
  return server;
}

const clientOf = (of: Installation): HowdahClient => createClient({ socketPath: layoutOf(of.home).apiSocket });

/** Resolves when the server answers; rejects with its last words when it ends instead. */
async function ready(server: ReturnType<typeof start>, of: Installation = installation): Promise<HowdahClient> {
  const client = clientOf(of);
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (;;) {
    if (ended) throw new Error(`the server ended: ${await server.stderr}`);
    try {
      await client.status();
      return client;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "SERVER_UNREACHABLE")) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("its files are private while it runs and gone when a signal has ended it", async () => {
  const server = start();
  const client = await ready(server);
  const layout = layoutOf(installation.home);
  expect(statSync(layout.apiSocket).mode & 0o777).toBe(0o600);
  expect(statSync(layout.serverInfo).mode & 0o777).toBe(0o600);
  const status = await client.status();
  expect(JSON.parse(readFileSync(layout.serverInfo, "utf8"))).toEqual({
    pid: server.child.pid,
    url: status.url,
    version: status.version,
    started_at: status.control.started_at,
  });
  expect(status).toMatchObject({ home: installation.home, services: { total: 0, running: 0 } });
  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  expect(existsSync(layout.serverInfo)).toBe(false);
  expect(existsSync(layout.apiSocket)).toBe(false);
});

test("a key made over the socket opens the other door", async () => {
  const client = await ready(start());
  const { key, record } = await client.keys.create("laptop");
  const { url } = await client.status();
  const remote = createClient({ url, apiKey: key });
  expect(await remote.services.list()).toEqual([]);
  await client.keys.remove(record.id);
  await expect(remote.services.list()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  expect(await client.recoveryKey()).toBe(readFileSync(join(installation.home, "encryption_key"), "utf8").trim());
});

test("one home has one server", async () => {
  await ready(start());
  const second = start();
  expect(await second.exited).toBe(5);
  expect(await second.stderr).toContain("is running already");
  await clientOf(installation).status();
});

test("after a shutdown the next server can start at once", async () => {
  const first = start();
  const client = await ready(first);
  await client.shutdown({ all: false });
  const second = start();
  await ready(second);
  expect(await first.exited).toBe(0);
});

test("after a kill the next server takes the socket over", async () => {
  const first = start();
  await ready(first);
  first.child.kill("SIGKILL");
  await first.exited;
  expect(existsSync(layoutOf(installation.home).apiSocket)).toBe(true);
  const second = start();
  const client = await ready(second);
  expect((await client.status()).control.pid).toBe(second.child.pid);
});

test("a chosen port that is taken is refused, and nothing is left running", async () => {
  const taken = createServer();
  await once(taken.listen(0, "127.0.0.1"), "listening");
  const { port } = taken.address() as AddressInfo;
  try {
    const server = start(installation, { HOWDAH_API_PORT: String(port) });
    expect(await server.exited).toBe(8);
    expect(await server.stderr).toContain(`port ${port} on 127.0.0.1 is taken`);
    expect(existsSync(layoutOf(installation.home).apiSocket)).toBe(false);
    await ready(start());
  } finally {
    taken.close();
  }
});

test("two homes live side by side with the default port", async () => {
  // Whether this or somebody else holds it: at most one of the two servers gets it.
  const other = new Installation();
  try {
    const byDefault = { HOWDAH_API_PORT: "" };
    const clients = await Promise.all([ready(start(installation, byDefault)), ready(start(other, byDefault), other)]);
    const urls = await Promise.all(clients.map(async (client) => (await client.status()).url));
    expect(new Set(urls).size).toBe(2);
    for (const url of urls) expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  } finally {
    for (const { child, exited } of started.splice(0)) {
      child.kill("SIGKILL");
      await exited;
    }
    await other[Symbol.asyncDispose]();
  }
});
