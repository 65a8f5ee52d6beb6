/** What people send who have nothing to do here. None of it wakes a server, asks control, or harms another client. */
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { saslInitialResponse, saslResponse, startupMessage } from "../protocol/index.js";
import { clientFinal, clientFirst, verifierText } from "../protocol/testing/password-client.js";
import { Front, type FrontOptions, SERVICE } from "./testing/front.js";
import { Wire } from "./testing/wire.js";

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const GSS_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]);
const STARTUP = startupMessage(new Map([["user", "app"]]), 0);
const secret = {
  role: "app",
  verifier: verifierText("right", Buffer.from("0123456789abcdef"), 16),
  canLogin: true,
  validUntil: null,
};

let front: Front;
const open = async (o: FrontOptions) => {
  await front[Symbol.asyncDispose]();
  front = await Front.open({ verifier: async (role) => (role === "app" ? secret : null), ...o });
  front.sessions.setOpen(SERVICE, false);
};
beforeEach(async () => {
  front = await Front.open();
  await open({});
});
afterEach(async () => {
  expect(front.wakes).toEqual([]);
  await front[Symbol.asyncDispose]();
  expect(front.sessions.count).toBe(0);
  expect(front.sessions.stats().unauthenticated).toBe(0);
});

async function answerTo(...pieces: readonly (Buffer | string)[]): Promise<string> {
  using wire = await Wire.to(front.port);
  for (const piece of pieces) wire.send(piece);
  return await wire.error();
}

describe("a stranger", () => {
  it("who speaks another protocol is told or hung up on", async () => {
    expect(await answerTo("GET / HTTP/1.1\r\n\r\n")).toBe("08P01 invalid length of startup packet");
    expect(await answerTo(Buffer.alloc(9_000))).toBe("08P01 invalid length of startup packet");
    expect(await answerTo(Buffer.from([0x7f, 0xff, 0xff, 0xff]))).toBe("08P01 invalid length of startup packet");
    expect(await answerTo(Buffer.from([0, 0, 0, 8, 0, 2, 0, 0]))).toMatch(/^0A000 unsupported frontend protocol 2\.0/);
    expect(await answerTo(Buffer.from([0x16, 3, 1, 2, 0]))).toBe("closed");
    expect(front.asked).toEqual([]);
  });

  it("is not told in control's words why his password cannot be checked", async () => {
    const words = Object.assign(new Error("/var/lib/howdah/secret"), { code: "57P03", hint: "/var/lib/howdah" });
    await open({ verifier: () => Promise.reject(words) });
    const { code, message, hint, detail } = await front.refusal();
    expect(code).toBe("57P03");
    expect(`${message} ${hint} ${detail}`).not.toContain("/var/lib");
  });

  it("who sends more than a login needs is hung up on", async () => {
    using wire = await Wire.to(front.port);
    wire.send(STARTUP);
    expect((await wire.message())?.type).toBe("R");
    const long = Buffer.alloc(40_000, "p");
    long.writeInt32BE(1_000, 1);
    wire.send(long);
    await wire.rest();
    expect(front.refusals).toMatchObject([{ reason: "protocol" }]);
  });

  it("who puts something behind a request for encryption is refused", async () => {
    const answer = /^08P01 received unencrypted data after (SSL|GSSAPI encryption) request$/;
    expect(await answerTo(Buffer.concat([SSL_REQUEST, STARTUP]))).toMatch(answer);
    expect(await answerTo(Buffer.concat([GSS_REQUEST, Buffer.of(0)]))).toMatch(answer);
    expect(front.asked).toEqual([]);
  });

  it("may ask for each encryption once", async () => {
    using wire = await Wire.to(front.port);
    wire.send(GSS_REQUEST);
    expect((await wire.bytes(1)).toString()).toBe("N");
    wire.send(SSL_REQUEST);
    expect((await wire.bytes(1)).toString()).toBe("N");
    wire.send(SSL_REQUEST);
    expect(await wire.error()).toMatch(/^0A000 unsupported frontend protocol 1234\.5679/);
  });

  it("who sends half a packet and falls silent is hung up on in the end", async () => {
    await open({ limits: { loginMs: 50 } });
    using nothing = await Wire.to(front.port);
    using half = await Wire.to(front.port);
    half.send(STARTUP.subarray(0, 10));
    using named = await Wire.to(front.port);
    named.send(STARTUP);
    expect((await named.message())?.type).toBe("R");
    expect(await named.error()).toBe("57014 canceling authentication due to timeout");
    expect(await nothing.rest()).toEqual(Buffer.alloc(0));
    expect(await half.rest()).toEqual(Buffer.alloc(0));
    await front.sessions.drained;
    expect(front.refusals.map(({ reason }) => reason)).toEqual(["timeout", "timeout", "timeout"]);
  });

  it("is not hurried while control takes its time", async () => {
    await open({ limits: { loginMs: 60 } });
    let answer: (value: null) => void = () => undefined;
    front.verifier = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    using wire = await Wire.to(front.port);
    wire.send(STARTUP);
    await delay(150);
    expect(front.refusals).toEqual([]);
    answer(null);
    expect((await wire.message())?.type).toBe("R");
  });

  it("makes room for newer ones, the oldest first", async () => {
    await open({ limits: { unauthenticated: 3 } });
    using first = await Wire.to(front.port);
    using second = await Wire.to(front.port);
    using third = await Wire.to(front.port);
    while (front.sessions.count < 3) await delay(1);
    using fourth = await Wire.to(front.port);
    expect(await first.rest()).toEqual(Buffer.alloc(0));
    fourth.send(STARTUP);
    expect((await fourth.message())?.type).toBe("R");
    expect([second.ended, third.ended]).toEqual([false, false]);
    expect(front.refusals).toMatchObject([{ reason: "overload", role: null }]);
    expect(front.sessions.stats().unauthenticated).toBe(3);
  });

  it("from a network that is not allowed is told so, and gets no TLS and no question", async () => {
    await open({ endpoint: { allow: ["10.0.0.0/8"] } });
    expect(await answerTo(STARTUP)).toBe("28000 connections from 127.0.0.1 are not allowed");
    using wire = await Wire.to(front.port);
    wire.send(SSL_REQUEST);
    expect((await wire.bytes(1)).toString()).toBe("N");
    front.endpoint = { ...front.endpoint, ssl: "require" };
    expect(await answerTo(SSL_REQUEST)).toBe("28000 connections from 127.0.0.1 are not allowed");
    expect(await answerTo(Buffer.from([0x16, 3, 1, 2, 0]))).toBe("closed");
    expect(front.asked).toEqual([]);
  });

  it("may send whatever bytes he likes, in whatever pieces", async () => {
    await open({ limits: { loginMs: 20 } });
    const begins = fc.constantFrom(STARTUP, SSL_REQUEST, GSS_REQUEST, Buffer.of(0x16), Buffer.alloc(0));
    const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(begins, pieces, async (first, rest) => {
        using wire = await Wire.to(front.port);
        for (const piece of [first, ...rest.map((bytes) => Buffer.from(bytes))]) {
          wire.send(piece);
          await delay(0);
        }
        await wire.rest();
      }),
      { numRuns: 100 },
    );
    expect(front.activity).toEqual([]);
  });
});

describe("a login in pieces of one byte", () => {
  it("is a login like any other", async () => {
    front.wake = async () => {
      throw Object.assign(new Error("no disk"), { code: "57P03" });
    };
    using wire = await Wire.to(front.port);
    const slowly = async (bytes: Buffer) => {
      for (const byte of bytes) {
        wire.send(Buffer.of(byte));
        await delay(0);
      }
    };
    const client = { password: "right", nonce: "abc" };
    await slowly(STARTUP);
    expect((await wire.message())?.body.subarray(4).toString()).toBe("SCRAM-SHA-256\0\0");
    await slowly(saslInitialResponse("SCRAM-SHA-256", clientFirst(client)));
    const challenge = (await wire.message())?.body.subarray(4) ?? Buffer.alloc(0);
    const { data, expected } = clientFinal(client, challenge);
    await slowly(saslResponse(data));
    expect((await wire.message())?.body.subarray(4).toString()).toBe(expected);
    expect(await wire.error()).toBe("57P03 no disk");
    expect(front.wakes.splice(0)).toMatchObject([{ role: "app", failed: null }]);
  });
});

describe("wrong passwords", () => {
  const attempt = async (password: string, user = "app") => {
    using wire = await Wire.to(front.port);
    wire.send(startupMessage(new Map([["user", user]]), 0));
    return await wire.prove(password);
  };

  it("are answered later and later, a right one is not", async () => {
    const waits: number[] = [];
    await open({
      clock: {
        now: () => Date.now(),
        sleep: async (ms) => {
          waits.push(ms);
        },
      },
    });
    for (let i = 0; i < 12; i++) expect(await attempt("wrong", i % 2 === 0 ? "app" : "nobody")).toBe("E");
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    front.wake = () => new Promise(() => undefined);
    expect(await attempt("right")).toBe("R");
    expect(waits).toHaveLength(9);
    front.wakes.splice(0);
  });

  it("of one address wait in a bounded number, the others are hung up on", async () => {
    await open({ limits: { waitingRefusals: 2 } });
    const answers: string[] = [];
    const wires = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const wire = await Wire.to(front.port);
        wire.send(STARTUP);
        void wire.prove("wrong").then((answer) => answers.push(answer));
        return wire;
      }),
    );
    // Three are free, two wait, three are hung up on.
    while (answers.length < 6) await delay(1);
    expect(answers.slice(0, 6).sort()).toEqual(["E", "E", "E", "closed", "closed", "closed"]);
    for (const wire of wires) wire.socket.destroy();
    await front.sessions.drained;
  });
});

describe("a role that does not exist", () => {
  it("is named in reports as a terminal can bear it", async () => {
    const user = `\u001b[2J${"x".repeat(9_000)}`;
    using wire = await Wire.to(front.port);
    wire.send(startupMessage(new Map([["user", user]]), 0));
    expect(await wire.prove("wrong")).toBe("E");
    expect(front.refusals.map(({ role }) => role)).toEqual([`?[2J${"x".repeat(60)}`]);
  });

  it("cannot be told from one that does, whatever is asked", async () => {
    const challengeOf = async (user: string) => {
      using wire = await Wire.to(front.port);
      wire.send(startupMessage(new Map([["user", user]]), 0));
      const mechanisms = (await wire.message())?.body.toString("latin1");
      wire.send(saslInitialResponse("SCRAM-SHA-256", clientFirst({ password: "x", nonce: "abc" })));
      const challenge = (await wire.message())?.body.subarray(4).toString("latin1") ?? "";
      const [, salt = "", iterations] = /s=([^,]*),i=(\d+)$/.exec(challenge) ?? [];
      return { mechanisms, salt, saltBytes: Buffer.from(salt, "base64").length, iterations };
    };
    const [real, mock, again, other] = [
      await challengeOf("app"),
      await challengeOf("nobody"),
      await challengeOf("nobody"),
      await challengeOf("nobody else"),
    ];
    expect(mock.mechanisms).toBe(real.mechanisms);
    expect(mock.saltBytes).toBe(16);
    expect(mock.iterations).toBe("4096");
    expect(again.salt).toBe(mock.salt);
    expect(other.salt).not.toBe(mock.salt);
  });
});

describe("protocol versions", () => {
  const negotiated = async (minor: number, more: [string, string][] = []) => {
    using wire = await Wire.to(front.port);
    wire.send(startupMessage(new Map([["user", "app"], ...more]), minor));
    const message = await wire.message();
    return message?.type === "v" ? message.body : null;
  };

  it("are negotiated when the client asks for more than the server has", async () => {
    expect(await negotiated(0)).toBeNull();
    expect(await negotiated(2)).toBeNull();
    expect((await negotiated(9_999))?.readInt32BE(0)).toBe((3 << 16) | 2);
    front.endpoint = { ...front.endpoint, major: 17 };
    expect(await negotiated(0)).toBeNull();
    expect((await negotiated(2))?.readInt32BE(0)).toBe(3 << 16);
    const options = await negotiated(0, [["_pq_.colour", "red"]]);
    expect(options?.readInt32BE(4)).toBe(1);
    expect(options?.subarray(8).toString()).toBe("_pq_.colour\0");
  });
});
