import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listenOnLoopback, listenOnSocket, stopListening, urlOf } from "./listen.js";
import { rawRequest } from "./testing/raw-request.js";

const hello: RequestListener = (_request, response) => response.end("hello");
let folder: string;
let path: string;
const open: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "howdah-listen-"));
  path = join(folder, "api.sock");
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => stopListening(server, 0)));
  await rm(folder, { recursive: true });
});
const keep = (server: Server): Server => {
  open.push(server);
  return server;
};

test("the socket is private whatever the umask, which stays as it was", async () => {
  const before = process.umask(0);
  try {
    keep(await listenOnSocket(hello, path));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(process.umask(0o022)).toBe(0);
  } finally {
    process.umask(before);
  }
  expect((await rawRequest({ socketPath: path, path: "/" })).text).toBe("hello");
});

test("a live socket is left alone, one without a listener is replaced", async () => {
  const first = await listenOnSocket(hello, path);
  await expect(listenOnSocket(hello, path)).rejects.toMatchObject({ code: "SERVER_RUNNING" });
  expect((await rawRequest({ socketPath: path, path: "/" })).text).toBe("hello");
  // Under another name it survives its listener, as after a kill.
  await rename(path, `${path}.kept`);
  await stopListening(first, 0);
  await rename(`${path}.kept`, path);
  expect(existsSync(path)).toBe(true);
  keep(await listenOnSocket(hello, path));
  expect((await rawRequest({ socketPath: path, path: "/" })).text).toBe("hello");
});

test("so is a plain file in its place", async () => {
  writeFileSync(path, "");
  keep(await listenOnSocket(hello, path));
  expect((await rawRequest({ socketPath: path, path: "/" })).status).toBe(200);
});

test("the file goes with the listener", async () => {
  await stopListening(await listenOnSocket(hello, path), 0);
  expect(existsSync(path)).toBe(false);
});

test("a default port gives way, a chosen one does not", async () => {
  const first = keep(await listenOnLoopback(hello, 0, { explicit: true }));
  const port = Number(new URL(urlOf(first)).port);
  await expect(listenOnLoopback(hello, port, { explicit: true })).rejects.toMatchObject({
    code: "SERVER_PORT_TAKEN",
    message: `port ${port} on 127.0.0.1 is taken`,
  });
  const second = keep(await listenOnLoopback(hello, port, { explicit: false }));
  expect(urlOf(second)).not.toBe(urlOf(first));
  const { hostname, port: other } = new URL(urlOf(second));
  expect((await rawRequest({ hostname, port: other, path: "/" })).text).toBe("hello");
});

test("only the loopback address listens", async () => {
  const server = keep(await listenOnLoopback(hello, 0, { explicit: true }));
  expect(server.address()).toMatchObject({ address: "127.0.0.1" });
});

test("at the end what is under way is answered, and what never ends is cut off", async () => {
  let answer: (() => void) | undefined;
  let begun = false;
  const slow = createServer((request, response) => {
    if (request.url === "/soon") answer = () => response.end("at last");
    else begun = response.write("and so on");
  });
  await once(slow.listen(path), "listening");
  const soon = rawRequest({ socketPath: path, path: "/soon" });
  const never = rawRequest({ socketPath: path, path: "/never" });
  const cutOff = expect(never).rejects.toMatchObject({ code: "ECONNRESET" });
  await expect.poll(() => begun && answer !== undefined).toBe(true);
  const stopped = stopListening(slow, 500);
  await expect(rawRequest({ socketPath: path, path: "/" })).rejects.toMatchObject({ code: "ENOENT" });
  answer?.();
  expect((await soon).text).toBe("at last");
  await cutOff;
  await stopped;
});
