/**
 * What strangers do to an open port: each takes the port and gives back a line for people. None of them may ever be let
 * in, which each of them checks by itself; what else must hold afterwards is the caller's to look at.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import pg from "pg";
import { expect } from "vitest";
import { cancelRequest, saslInitialResponse, startupMessage } from "../../src/gateway/protocol/index.js";
import { until } from "./installation.js";
import type { Seeded } from "./seed.js";

export interface Stage {
  readonly port: number;
  readonly random: Seeded;
  /** A backend that works for somebody, on another connection; null: there is none. */
  readonly backend: number | null;
}

const WIDTH = 40;
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const GSS_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 48]);
const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
/** What the gateway gives somebody to log in, and some more for a busy machine. */
const LOGIN_TIMEOUT_MS = 15_000 + 30_000;

const startup = (user: string) =>
  startupMessage(
    new Map([
      ["user", user],
      ["database", "postgres"],
    ]),
    0,
  );
/** The type byte of a SASL response and a length of two gigabytes. */
const HUGE_SASL = Buffer.from([0x70, 0x7f, 0xff, 0xff, 0xff]);

/** The other end of a connection to the gateway, that keeps everything it hears. */
class Stranger implements Disposable {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => this.#chunks.push(chunk));
    socket.on("close", () => {
      this.closed = true;
    });
    // Being reset is one way of being turned away.
    socket.on("error", () => undefined);
  }

  static async to(port: number): Promise<Stranger> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    return new Stranger(socket);
  }

  get heard(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Until the gateway has hung up. */
  async end(): Promise<Buffer> {
    await until("the gateway hangs up", () => this.closed, LOGIN_TIMEOUT_MS);
    expect(this.heard.includes(AUTHENTICATION_OK)).toBe(false);
    return this.heard;
  }

  async hear(bytes: number): Promise<void> {
    await until("the gateway answers", () => this.closed || this.heard.length >= bytes);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

async function inParallel(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(WIDTH, count) }, worker));
}

function garbage(random: Seeded, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random.next() * 256)));
}

/** A true message with a few bytes changed, cut, or said again. */
function mutated(random: Seeded, message: Buffer): Buffer {
  const copy = Buffer.concat([message, random.next() < 0.3 ? message : Buffer.alloc(0)]);
  for (let n = random.between(1, 5); n > 0; n--) {
    copy[Math.floor(random.next() * copy.length)] = Math.floor(random.next() * 256);
  }
  return copy.subarray(0, Math.ceil(random.next() * copy.length));
}

async function garbageBytes({ port, random }: Stage): Promise<string> {
  const COUNT = 600;
  let bytes = 0;
  await inParallel(COUNT, async (n) => {
    const noise = garbage(random, Math.floor(random.between(1, 3_000)));
    const message = random.pick([
      noise,
      mutated(random, startup("postgres")),
      Buffer.concat([startup("postgres"), noise]),
      Buffer.concat([startup("postgres"), mutated(random, saslInitialResponse("SCRAM-SHA-256", noise))]),
      Buffer.from(`GET /${n} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`),
      Buffer.concat([Buffer.from([22, 3, 1]), noise]),
      Buffer.concat([GSS_REQUEST, noise]),
    ]);
    using stranger = await Stranger.to(port);
    for (let at = 0; at < message.length; ) {
      const end = at + Math.ceil(random.between(1, message.length));
      stranger.socket.write(message.subarray(at, end));
      at = end;
    }
    bytes += message.length;
    // Half of them are silent then, but have had their say: what cannot become a login is answered without a wait.
    stranger.socket.end();
    await stranger.end();
  });
  return `${COUNT} conversations, ${bytes} bytes`;
}

async function halfAndSilence({ port, random }: Stage): Promise<string> {
  const COUNT = 150;
  const whole = startup("postgres");
  const strangers = await Promise.all(
    Array.from({ length: COUNT }, async (_, n) => {
      const stranger = await Stranger.to(port);
      if (n % 5 === 0) stranger.socket.write(whole);
      else if (n % 5 === 1) stranger.socket.write(SSL_REQUEST);
      else if (n % 5 === 2) stranger.socket.write(GSS_REQUEST);
      else stranger.socket.write(whole.subarray(0, Math.floor(random.between(1, whole.length))));
      return stranger;
    }),
  );
  await Promise.all(strangers.map((stranger) => stranger.end()));
  return `${COUNT} were hung up on`;
}

async function hugeLengths({ port, random }: Stage): Promise<string> {
  const lengths = [10_001, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x5400_0000, 7, 0];
  const filler = garbage(random, 65_536);
  let taken = 0;
  await inParallel(140, async (n) => {
    using stranger = await Stranger.to(port);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(lengths[n % lengths.length] ?? 0, 0);
    head.writeUInt32BE(196_608, 4);
    if (n % 2 === 0) stranger.socket.write(head);
    else {
      stranger.socket.write(startup("postgres"));
      await stranger.hear(1);
      stranger.socket.write(HUGE_SASL);
    }
    // As much as it takes, up to 64 MB.
    for (let chunk = 0; chunk < 1_024 && !stranger.closed && stranger.socket.writable; chunk++) {
      if (!stranger.socket.write(filler))
        await Promise.race([once(stranger.socket, "drain").catch(() => null), delay(50)]);
    }
    taken += stranger.socket.bytesWritten;
    await stranger.end();
  });
  return `140 conversations, ${Math.round(taken / 1e6)} MB were sent before they were hung up on`;
}

/** As many sockets as asked for, none of which says a word; all are open at the moment when `meanwhile` runs. */
export async function silentCrowd(port: number, size: number, meanwhile: () => Promise<void>): Promise<void> {
  const crowd: Stranger[] = [];
  try {
    await inParallel(size, async () => {
      crowd.push(await Stranger.to(port));
    });
    expect(crowd.filter(({ closed }) => !closed)).toHaveLength(size);
    await meanwhile();
  } finally {
    for (const stranger of crowd) stranger.socket.destroy();
  }
}

async function portScan({ port, random }: Stage): Promise<string> {
  await inParallel(2_000, async () => {
    const stranger = await Stranger.to(port);
    if (random.next() < 0.5) stranger.socket.resetAndDestroy();
    else stranger.socket.destroy();
  });
  return "2000 connections were opened and closed";
}

async function wrongPasswords({ port, random }: Stage): Promise<string> {
  const COUNT = 400;
  const ends: Record<string, number> = {};
  const roles = ["postgres", "app", "nologin", "howdah_admin", "pg_monitor", "schöner", "x".repeat(200)] as const;
  await inParallel(COUNT, async (n) => {
    const user = random.next() < 0.3 ? `nobody-${n}` : random.pick(roles);
    const client = new pg.Client({
      host: "127.0.0.1",
      port,
      user,
      password: `wrong-${random.next()}`,
      database: random.pick(["postgres", "template1", "nowhere"]),
    });
    client.on("error", () => undefined);
    const error: { code?: string; message: string } = await client.connect().then(
      () => expect.fail(`${user} was let in with a wrong password`),
      (reason) => reason,
    );
    const end = error.code ?? error.message;
    ends[end] = (ends[end] ?? 0) + 1;
    await client.end().catch(() => undefined);
  });
  // Whoever has too many answers waiting is hung up on.
  const expected = ["28P01", "ECONNRESET", "EPIPE", "Connection terminated unexpectedly"];
  expect(Object.keys(ends).filter((end) => !expected.includes(end))).toEqual([]);
  expect(ends["28P01"]).toBeGreaterThan(0);
  return JSON.stringify(ends);
}

async function bytesBehindSslRequest({ port, random }: Stage): Promise<string> {
  const COUNT = 200;
  await inParallel(COUNT, async (n) => {
    using stranger = await Stranger.to(port);
    const behind = n % 2 === 0 ? startup("postgres") : garbage(random, Math.floor(random.between(1, 400)));
    stranger.socket.write(Buffer.concat([n % 4 < 2 ? SSL_REQUEST : GSS_REQUEST, behind]));
    const heard = (await stranger.end()).toString("latin1");
    expect(heard[0]).toBe("E");
    expect(heard).toContain("received unencrypted data after");
  });
  return `${COUNT} were refused`;
}

async function randomCancels({ port, random, backend }: Stage): Promise<string> {
  const COUNT = 1_000;
  await inParallel(COUNT, async (n) => {
    using stranger = await Stranger.to(port);
    const pid = backend !== null && n % 2 === 0 ? backend : Math.floor(random.next() * 2 ** 31);
    stranger.socket.write(cancelRequest(pid, garbage(random, random.pick([4, 4, 32, 256]))));
    expect(await stranger.end()).toHaveLength(0);
  });
  return `${COUNT} requests, half of them with the number of a backend that works`;
}

async function sslFlood({ port }: Stage): Promise<string> {
  const answers: Record<string, number> = {};
  await inParallel(1_500, async (n) => {
    using stranger = await Stranger.to(port);
    stranger.socket.write(n % 10 === 0 ? Buffer.concat(Array.from({ length: 1_000 }, () => SSL_REQUEST)) : SSL_REQUEST);
    await stranger.hear(1);
    const answer = stranger.heard.subarray(0, 1).toString("latin1");
    answers[answer] = (answers[answer] ?? 0) + 1;
  });
  expect(Object.keys(answers).filter((answer) => !["S", "E"].includes(answer))).toEqual([]);
  return JSON.stringify(answers);
}

/** A true handshake, and then nothing, noise, or the beginning of a login. */
async function insideTls({ port, random }: Stage): Promise<string> {
  const COUNT = 120;
  await inParallel(COUNT, async (n) => {
    using stranger = await Stranger.to(port);
    stranger.socket.removeAllListeners("data");
    stranger.socket.write(SSL_REQUEST);
    await once(stranger.socket, "readable");
    stranger.socket.read();
    // The certificate is not what this is about.
    const tls = connectTls({ socket: stranger.socket, rejectUnauthorized: false });
    tls.on("error", () => undefined);
    await once(tls, "secureConnect");
    const heard: Buffer[] = [];
    tls.on("data", (chunk: Buffer) => heard.push(chunk));
    if (n % 3 === 0) tls.write(garbage(random, 2_000));
    if (n % 3 === 1) tls.write(Buffer.concat([startup("postgres"), HUGE_SASL, garbage(random, 9_000)]));
    if (n % 3 === 2) tls.write(SSL_REQUEST);
    tls.end();
    await until("the gateway hangs up", () => tls.destroyed || tls.readableEnded, LOGIN_TIMEOUT_MS);
    expect(Buffer.concat(heard).includes(AUTHENTICATION_OK)).toBe(false);
  });
  return `${COUNT} handshakes`;
}

/** Byte by byte, always in time for a timer that each byte would wind up again. */
async function slowLoris({ port, random }: Stage): Promise<string> {
  const COUNT = 100;
  const message = startupMessage(
    new Map([
      ["user", "postgres"],
      ["application_name", "x".repeat(5_000)],
    ]),
    0,
  );
  const strangers = await Promise.all(Array.from({ length: COUNT }, () => Stranger.to(port)));
  let bytes = 0;
  for (let at = 0; strangers.some(({ closed }) => !closed); at++) {
    for (const { closed, socket } of strangers) {
      if (closed) continue;
      socket.write(message.subarray(at, at + 1));
      bytes++;
    }
    await delay(random.between(50, 150));
    if (at >= message.length) expect.fail("nobody was hung up on");
  }
  return `${COUNT} clients said ${bytes} bytes`;
}

export const ATTACKS: Readonly<Record<string, (stage: Stage) => Promise<string>>> = {
  "garbage bytes": garbageBytes,
  "lengths of gigabytes": hugeLengths,
  "a port scan": portScan,
  "wrong passwords": wrongPasswords,
  "clear bytes behind a request for encryption": bytesBehindSslRequest,
  "cancel requests with made-up keys": randomCancels,
  "a flood of SSLRequests": sslFlood,
  "noise inside TLS": insideTls,
  "half a login and silence": halfAndSilence,
  "logins byte by byte": slowLoris,
};
