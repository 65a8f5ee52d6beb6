import { execFileSync, spawn } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Splice, SpliceStart } from "./contract.js";
import { splice, spliceByStreams } from "./index.js";
import { takeOver } from "./raw-end.js";

/** A client and a backend with the splice between them: real TCP in front, a real Unix socket behind. */
interface Path {
  readonly client: net.Socket;
  readonly backend: net.Socket;
  /** What was handed to the splice. */
  readonly inner: net.Socket;
  readonly outer: net.Socket;
  readonly front: net.Server;
  readonly splice: Splice;
}

type Make = typeof splice;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const later = (ms: number) => new Promise((done) => setTimeout(done, ms));

function watched(socket: net.Socket): net.Socket {
  socket.on("error", () => undefined);
  cleanups.push(() => socket.destroy());
  return socket;
}

async function pair(listener: net.Server, connect: () => net.Socket): Promise<[near: net.Socket, far: net.Socket]> {
  const arriving = once(listener, "connection") as Promise<[net.Socket]>;
  const near = watched(connect().pause());
  if (near.connecting) await once(near, "connect");
  const [far] = await arriving;
  return [near, watched(far)];
}

async function path(make: Make, first: Partial<SpliceStart> = {}, before?: (p: Path) => Promise<void>): Promise<Path> {
  const folder = mkdtempSync(join(tmpdir(), "howdah-splice-"));
  const socketPath = join(folder, "s");
  const front = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const back = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  cleanups.push(() => {
    front.close();
    back.close();
    rmSync(folder, { recursive: true, force: true });
  });
  front.listen(0, "127.0.0.1");
  back.listen(socketPath);
  await Promise.all([once(front, "listening"), once(back, "listening")]);
  const { port } = front.address() as net.AddressInfo;
  const [client, inner] = await pair(front, () => net.connect({ host: "127.0.0.1", port, allowHalfOpen: true }));
  const [outer, backend] = await pair(back, () => net.connect({ path: socketPath, allowHalfOpen: true }));
  const ends = { client, backend, inner, outer, front };
  await before?.(ends as Path);
  return { ...ends, splice: make(inner, outer, { toClient: null, toServer: null, ...first }) };
}

/** Unlike `once`, not ended by an 'error', which comes before when the connection was reset. */
const closing = (socket: net.Socket) =>
  new Promise<void>((done) => (socket.closed ? done() : socket.once("close", () => done())));

async function readAll(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk)).resume();
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** Writes `total` bytes that depend on their place, in pieces of changing size, as fast as they are taken. */
async function pour(socket: net.Socket, total: number, hash: Hash, sizes: readonly number[]): Promise<void> {
  const source = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 31 + (i >> 8)) & 255));
  for (let sent = 0, i = 0; sent < total; i++) {
    const size = Math.min(sizes[i % sizes.length] ?? 1, total - sent);
    const piece = source.subarray(i % 256, (i % 256) + size);
    hash.update(piece);
    sent += piece.length;
    if (!socket.write(piece)) await once(socket, "drain");
  }
  socket.end();
}

async function drink(socket: net.Socket, hash: Hash, pauseEvery: number): Promise<number> {
  let count = 0;
  let until = pauseEvery;
  socket.on("data", (chunk: Buffer) => {
    count += chunk.length;
    hash.update(chunk);
    if (count < until) return;
    until += pauseEvery;
    socket.pause();
    setTimeout(() => socket.resume(), 2);
  });
  socket.resume();
  await once(socket, "end");
  return count;
}

it("knows the insides of this Node, or the data path is the slow one", async () => {
  const { inner, outer } = await path((client, server) => {
    const none = { done: Promise.resolve(), bytesFromClient: 0, bytesToClient: 0, destroy: () => undefined };
    for (const socket of [client, server]) {
      const end = takeOver(socket);
      expect(end).not.toBeNull();
      cleanups.push(() => end?.destroy());
    }
    return none;
  });
  expect(takeOver(inner), "twice").toBeNull();
  expect(takeOver(new tls.TLSSocket(outer)), "a TLS socket").toBeNull();
});

const ways: [string, Make][] = [
  ["raw", splice],
  ["by streams", spliceByStreams],
];

describe.each(ways)("splice, %s", (_, make) => {
  it("copies both ways, first what was read before", async () => {
    const first = { toClient: Buffer.from("ready "), toServer: Buffer.from("query ") };
    const { client, backend, splice } = await path(make, first, async (p) => {
      // These come to lie in the stream buffers of the sockets that are handed over.
      p.client.write("one");
      p.backend.write("two");
      for (const socket of [p.inner, p.outer]) {
        const readable = once(socket, "readable");
        socket.read(0);
        await readable;
        socket.removeAllListeners("readable");
        socket.pause();
      }
    });
    client.end(" three");
    expect((await readAll(backend)).toString()).toBe("query one three");
    backend.end(" four");
    expect((await readAll(client)).toString()).toBe("ready two four");
    await splice.done;
    expect([splice.bytesFromClient, splice.bytesToClient]).toEqual([15, 14]);
  });

  it("keeps every byte, whatever the sizes of the pieces", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 40 }),
        async (sizes) => {
          const { client, backend, splice } = await path(make);
          backend.pipe(backend).resume();
          const total = sizes.reduce((a, b) => a + b) * 2;
          const [sent, received] = [createHash("md5"), createHash("md5")];
          const [, count] = await Promise.all([pour(client, total, sent, sizes), drink(client, received, 50_000)]);
          expect(count).toBe(total);
          expect(received.digest("hex")).toBe(sent.digest("hex"));
          await splice.done;
          expect([splice.bytesFromClient, splice.bytesToClient]).toEqual([total, total]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("stops reading from the server while the client does not read, and the other way round", async () => {
    for (const [from, to] of [
      ["backend", "client"],
      ["client", "backend"],
    ] as const) {
      const p = await path(make);
      const total = 64_000_000;
      const sent = createHash("md5");
      const pouring = pour(p[from], total, sent, [65_000, 10, 4_096]);
      const carried = () => p.splice.bytesFromClient + p.splice.bytesToClient;
      // Nobody drinks: it comes to a standstill when the kernel's buffers and ours are full.
      let before = -1;
      while (before !== carried() || before === 0) {
        before = carried();
        await later(60);
      }
      expect(before).toBeLessThan(16_000_000);
      const received = createHash("md5");
      const [count] = await Promise.all([drink(p[to], received, total), pouring]);
      expect(count).toBe(total);
      expect(received.digest("hex")).toBe(sent.digest("hex"));
      p[to].end();
      await p.splice.done;
    }
  });

  it("carries 200 MB both ways at once to slow readers in bounded memory", async () => {
    const { client, backend, splice } = await path(make);
    const total = 200_000_000;
    const hashes = Array.from({ length: 4 }, () => createHash("md5"));
    const [a, b, c, d] = hashes as [Hash, Hash, Hash, Hash];
    const pieces = [65_000, 3, 32_000, 8_192];
    let most = 0;
    const watching = setInterval(() => {
      const { external, heapUsed } = process.memoryUsage();
      most = Math.max(most, external + heapUsed);
    }, 20);
    try {
      const counts = await Promise.all([
        drink(backend, b, 3_000_000),
        drink(client, d, 3_000_000),
        pour(client, total, a, pieces),
        pour(backend, total, c, pieces),
      ]);
      expect(counts.slice(0, 2)).toEqual([total, total]);
    } finally {
      clearInterval(watching);
    }
    expect(b.digest("hex")).toBe(a.digest("hex"));
    expect(d.digest("hex")).toBe(c.digest("hex"));
    await splice.done;
    expect(most).toBeLessThan(200_000_000);
  }, 60_000);

  it("passes the client's FIN on, and the server may still answer", async () => {
    const { client, backend, splice } = await path(make);
    client.end("bye");
    expect((await readAll(backend)).toString()).toBe("bye");
    backend.end(Buffer.alloc(3_000_000, 7));
    expect((await readAll(client)).length).toBe(3_000_000);
    await splice.done;
  });

  it("passes the server's FIN on behind its last bytes, to a client that is slow", async () => {
    const { client, backend, splice } = await path(make);
    backend.end(Buffer.alloc(8_000_000, 7));
    await later(100);
    client.write("said to nobody");
    expect((await readAll(client)).length).toBe(8_000_000);
    client.end();
    await splice.done;
  });

  it("closes the client that keeps its half open after the server has gone", async () => {
    const { client, backend, splice } = await path(make);
    backend.end("FATAL");
    expect((await readAll(client)).toString()).toBe("FATAL");
    await splice.done;
  });

  it("ends the server when the client resets", async () => {
    const { client, backend, splice } = await path(make);
    client.write("x");
    await once(backend.resume(), "data");
    backend.once("end", () => backend.end());
    const closed = closing(backend);
    client.resetAndDestroy();
    await splice.done;
    await closed;
  });

  it("ends the server that is sending when its client is gone", async () => {
    const { client, backend, splice } = await path(make);
    const closed = closing(backend);
    const more = () => {
      while (backend.write(Buffer.alloc(60_000)));
    };
    backend.on("drain", more);
    more();
    await later(50);
    client.destroy();
    await splice.done;
    await closed;
  });

  it("ends the client when the server closes with bytes unread", async () => {
    const { client, backend, splice } = await path(make);
    client.write("never read");
    await later(50);
    backend.destroy();
    client.once("end", () => client.end());
    await Promise.all([closing(client.resume()), splice.done]);
  });

  it("destroys both at once, and can be told so twice", async () => {
    const { client, backend, inner, outer, splice } = await path(make);
    backend.write(Buffer.alloc(10_000_000));
    client.write(Buffer.alloc(10_000_000));
    await later(50);
    splice.destroy();
    splice.destroy();
    await splice.done;
    expect([inner.destroyed, outer.destroyed]).toEqual([true, true]);
    await Promise.all([client, backend].map((socket) => closing(socket.resume())));
  });

  it("ends when a socket that it was given is destroyed, before or afterwards", async () => {
    for (const which of ["inner", "outer"] as const) {
      const after = await path(make);
      after[which].destroy();
      after.client.resume().end();
      await after.splice.done;
      const before = await path(make, { toClient: Buffer.from("a"), toServer: Buffer.from("b") }, async (p) => {
        p[which].destroy();
      });
      before.client.resume().end();
      await before.splice.done;
    }
  });

  it("lets the listener of a finished client close", async () => {
    const { client, backend, front, splice } = await path(make);
    const closed = once(front, "close");
    front.close();
    client.end();
    backend.resume().end();
    client.resume();
    await splice.done;
    await closed;
  });

  it("serves a TLS client", async () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-splice-tls-"));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const [key, cert] = [join(folder, "key"), join(folder, "cert")];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
    execFileSync("openssl", [...request, "-subj", "/CN=splice", "-keyout", key, "-out", cert], { stdio: "ignore" });
    let encrypted: tls.TLSSocket | undefined;
    const { client, backend, splice } = await path((inner, server, start) => {
      encrypted = new tls.TLSSocket(inner, { isServer: true, key: readFileSync(key), cert: readFileSync(cert) });
      return make(encrypted.pause(), server, start);
    });
    const secure = watched(tls.connect({ socket: client, rejectUnauthorized: false }));
    await once(secure, "secureConnect");
    const [sent, received] = [createHash("md5"), createHash("md5")];
    backend.pipe(backend).resume();
    const pouring = pour(secure, 20_000_000, sent, [65_000, 10, 4_096]);
    expect(await drink(secure, received, 1_000_000)).toBe(20_000_000);
    await pouring;
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    await splice.done;
  });
});

// In one process a reader only reads when nobody writes. Here it empties the buffer in the middle of a write that did
// not fit, which then fits at the second try.
it("survives a reader that makes room in the middle of a write", async () => {
  const folder = mkdtempSync(join(tmpdir(), "howdah-splice-"));
  const socketPath = join(folder, "s");
  const front = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  cleanups.push(() => {
    front.close();
    rmSync(folder, { recursive: true, force: true });
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  const { port } = front.address() as net.AddressInfo;
  const total = 75_000_000;
  const ended: Promise<void>[] = [];
  front.on("connection", (inner) => {
    const outer = watched(net.connect({ path: socketPath, allowHalfOpen: true }).pause());
    outer.once("connect", () => ended.push(splice(watched(inner), outer, { toClient: null, toServer: null }).done));
  });
  const peers = spawn(process.execPath, ["-e", PEERS, socketPath, String(port), String(total), "8"]);
  cleanups.push(() => peers.kill("SIGKILL"));
  let said = "";
  peers.stdout.on("data", (text) => {
    said += String(text);
  });
  await once(peers, "close");
  await Promise.all(ended);
  expect(said).toBe(String(8 * total));
}, 60_000);

/** A backend that counts what it is sent, and clients that send it. */
const PEERS = `
  const net = require("node:net");
  const [path, port, total, clients] = process.argv.slice(1);
  let count = 0;
  let open = Number(clients);
  const backend = net.createServer({ highWaterMark: 8192 }, (socket) => {
    socket.on("data", (chunk) => { count += chunk.length; });
    socket.on("end", () => {
      open -= 1;
      if (open > 0) return;
      process.stdout.write(String(count));
      backend.close();
    });
  });
  const pour = () => {
    const client = net.connect(Number(port), "127.0.0.1").resume();
    const piece = Buffer.alloc(3000);
    let left = Number(total);
    const more = () => {
      while (left > 0) {
        left -= piece.length;
        if (!client.write(piece)) return;
      }
      client.off("drain", more).end();
    };
    client.on("drain", more);
    more();
  };
  backend.listen(path, () => { for (let i = 0; i < Number(clients); i++) pour(); });
`;

it("brings the client the server's last words, although writing to the server fails before they are read", async () => {
  // The backend closes with a query unread, then the splice's first write fails. The streams would lose the words here.
  const first = { toServer: Buffer.from("more") };
  const { client, splice: spliced } = await path(splice, first, async ({ backend, outer }) => {
    outer.write("query");
    await once(backend, "readable");
    backend.write("FATAL: terminating connection");
    backend.destroy();
    await closing(backend);
  });
  client.write("and more");
  expect((await readAll(client)).toString()).toBe("FATAL: terminating connection");
  client.end();
  await spliced.done;
});
