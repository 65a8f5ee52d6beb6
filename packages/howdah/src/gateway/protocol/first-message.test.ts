import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTlsHello, parseFirstMessage } from "./first-message.js";
import { cancelRequest, startupMessage } from "./frontend-messages.js";
import { fedByteByByte, outcome, violation } from "./testing/outcome.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const SSL = hex("00000008 04d2162f");
const GSS = hex("00000008 04d21630");

/** A startup packet with this body, whatever its layout. */
function packet(body: string | Buffer, version = 0x0003_0000): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + bytes.length, 0);
  head.writeUInt32BE(version, 4);
  return Buffer.concat([head, bytes]);
}

describe("the first message", () => {
  it("is a request for encryption", () => {
    expect(parseFirstMessage(SSL)).toEqual({ message: { kind: "ssl-request" }, length: 8 });
    expect(parseFirstMessage(GSS)).toEqual({ message: { kind: "gss-request" }, length: 8 });
    for (const code of ["04d2162f", "04d21630"]) {
      expect(violation(() => parseFirstMessage(hex(`0000000c ${code}`))).message).toBe(
        "invalid length of startup packet",
      );
    }
  });

  it("is a request for cancellation, with a short secret or a long one", () => {
    expect(parseFirstMessage(hex("00000010 04d2162e 0000162e deadbeef"))).toEqual({
      message: { kind: "cancel", pid: 5678, secret: hex("deadbeef") },
      length: 16,
    });
    for (const size of [4, 32, 256]) {
      const secret = Buffer.alloc(size, 7);
      expect(parseFirstMessage(cancelRequest(-1, secret))?.message).toEqual({ kind: "cancel", pid: -1, secret });
    }
    for (const length of [8, 12, 15, 269]) {
      const bytes = hex(`${length.toString(16).padStart(8, "0")} 04d2162e`);
      expect(violation(() => parseFirstMessage(bytes)).message).toBe("invalid length of cancel request packet");
    }
  });

  it("is a startup packet", () => {
    const bytes = packet(
      "user\0u\0database\0d\0_pq_.test\x001\0application_name\0a\0application_name\0b\0\0",
      0x0003_0002,
    );
    expect(parseFirstMessage(bytes)).toEqual({
      message: {
        kind: "startup",
        minor: 2,
        parameters: new Map([
          ["user", "u"],
          ["database", "d"],
          ["application_name", "b"],
        ]),
        unknownOptions: ["_pq_.test"],
      },
      length: bytes.length,
    });
  });

  it("may speak any minor version of protocol 3", () => {
    for (const minor of [0, 1, 2, 3, 9999, 65535]) {
      const message = parseFirstMessage(packet("user\0u\0\0", 0x0003_0000 + minor))?.message;
      expect(message).toMatchObject({ kind: "startup", minor });
    }
  });

  it("may have values that are empty, but no user that is", () => {
    expect(parseFirstMessage(packet("user\0u\0options\0\0\0"))?.message).toMatchObject({
      parameters: new Map([
        ["user", "u"],
        ["options", ""],
      ]),
    });
    for (const body of ["\0", "database\0d\0\0", "user\0\0\0", "user\0u\0user\0\0\0"]) {
      expect(violation(() => parseFirstMessage(packet(body)))).toEqual({
        sqlstate: "28000",
        message: "no PostgreSQL user name specified in startup packet",
        detail: null,
      });
    }
  });

  it.each([
    ["nothing at all", ""],
    ["no terminator", "user\0u\0"],
    ["a name without a zero byte", "user\0u\0na"],
    ["a name without a value", "user\0u\0name\0"],
    ["a value without a zero byte", "user\0u\0name\0value"],
    ["bytes behind the terminator", "user\0u\0\0\0"],
    ["a terminator in the middle", "user\0u\0\0database\0d\0\0"],
  ])("is refused with %s", (_, body) => {
    expect(violation(() => parseFirstMessage(packet(body)))).toEqual({
      sqlstate: "08P01",
      message: "invalid startup packet layout: expected terminator as last byte",
      detail: null,
    });
  });

  it("is refused in another protocol, before the rest has come", () => {
    for (const [version, named] of [
      [0x0002_0000, "2.0"],
      [0x0004_0000, "4.0"],
      [0, "0.0"],
      [80_877_101, "1234.5677"],
      [0xffff_ffff, "65535.65535"],
    ] as const) {
      const head = packet(Buffer.alloc(100), version).subarray(0, 8);
      expect(violation(() => parseFirstMessage(head))).toEqual({
        sqlstate: "0A000",
        message: `unsupported frontend protocol ${named}: server supports 3.0 to 3.2`,
        detail: null,
      });
    }
  });

  it("is judged by its length as soon as that is there", () => {
    const length = (value: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    };
    for (const bad of [0, 1, 7, 10_005, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, Buffer.from("GET ").readUInt32BE()]) {
      expect(violation(() => parseFirstMessage(length(bad)))).toEqual({
        sqlstate: "08P01",
        message: "invalid length of startup packet",
        detail: null,
      });
    }
    // PostgreSQL's limit of 10,000 does not count the length field
    for (const good of [8, 10_004]) expect(parseFirstMessage(length(good))).toBeNull();
  });

  it("as long as PostgreSQL allows is read", () => {
    const value = "x".repeat(10_004 - 8 - "user\0u\0a\0".length - 2);
    const bytes = packet(`user\0u\0a\0${value}\0\0`);
    expect(bytes).toHaveLength(10_004);
    expect(parseFirstMessage(bytes)).toMatchObject({ length: 10_004 });
  });

  it("keeps nothing of the buffer it came in", () => {
    const bytes = cancelRequest(1, Buffer.from("secret"));
    const message = parseFirstMessage(bytes)?.message;
    bytes.fill(0);
    expect(message).toEqual({ kind: "cancel", pid: 1, secret: Buffer.from("secret") });
  });
});

describe("any bytes", () => {
  const text = fc.string({ unit: "binary", maxLength: 12 }).filter((t) => !t.includes("\0"));
  const name = text.filter((t) => t !== "" && !t.startsWith("_pq_."));
  const parameters = fc
    .tuple(
      text.filter((t) => t !== ""),
      fc.array(fc.tuple(name, text), { maxLength: 6 }),
    )
    .map(([user, others]) => new Map([...others, ["user", user] as const]));
  /** What PostgreSQL would read, and what is nearly that. */
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((b) => Buffer.from(b)),
    fc.constantFrom(SSL, GSS),
    fc
      .tuple(fc.integer(), fc.uint8Array({ minLength: 4, maxLength: 256 }))
      .map(([pid, s]) => cancelRequest(pid, Buffer.from(s))),
    parameters.map((p) => startupMessage(p, 0)),
    fc
      .array(fc.constantFrom("user", "\0", "u", "_pq_.a", "\0\0", "database", "\xff"), { maxLength: 12 })
      .map((parts) => packet(parts.join(""))),
  );
  const mutated = fc
    .tuple(bytes, fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }))
    .map(([original, changes]) => {
      const copy = Buffer.from(original);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      return copy;
    });

  it("give the same in one piece and byte by byte, and never another error", () => {
    fc.assert(
      fc.property(mutated, fc.uint8Array({ maxLength: 16 }), (message, tail) => {
        const { outcome: result, taken } = fedByteByByte(parseFirstMessage, message);
        if (!("value" in result) || result.value !== null) {
          // whatever follows, all at once: the same
          expect(outcome(() => parseFirstMessage(Buffer.concat([message, tail])))).toEqual(result);
        }
        if ("value" in result && result.value !== null) expect(result.value.length).toBe(taken);
      }),
      { numRuns: 1_000 },
    );
  });

  it("come back as they were sent", () => {
    fc.assert(
      fc.property(parameters, fc.nat(65_535), fc.uint8Array({ maxLength: 8 }), (sent, minor, tail) => {
        const message = startupMessage(sent, minor);
        expect(parseFirstMessage(Buffer.concat([message, tail]))).toEqual({
          message: { kind: "startup", minor, parameters: sent, unknownOptions: [] },
          length: message.length,
        });
      }),
    );
  });

  it("that are no UTF-8 go on to the server unchanged", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (value) => {
        const bytes = Buffer.from(value.map((byte) => byte || 1));
        const whole = packet(Buffer.concat([Buffer.from("user\0"), bytes, Buffer.from("\0\0")]));
        const message = parseFirstMessage(whole)?.message;
        if (message?.kind !== "startup") throw new Error("not a startup packet");
        expect(startupMessage(message.parameters, message.minor)).toEqual(whole);
      }),
    );
  });
});

describe("what we send", () => {
  it("cannot smuggle a parameter", () => {
    expect(() => startupMessage(new Map([["user", "u\0replication\0on"]]), 0)).toThrow(RangeError);
    expect(() => startupMessage(new Map([["a\0b", ""]]), 0)).toThrow(RangeError);
    expect(() => startupMessage(new Map([["", "x"]]), 0)).toThrow(RangeError);
  });

  it("cancels with a secret of the lengths there are", () => {
    for (const size of [0, 3, 257]) expect(() => cancelRequest(1, Buffer.alloc(size))).toThrow(RangeError);
  });
});

it("knows a TLS handshake by its first byte", () => {
  expect([0x16, 0x00, 0x15, undefined].map(isTlsHello)).toEqual([true, false, false, false]);
  // no startup packet can begin with it
  expect(violation(() => parseFirstMessage(hex("16030100")))).toMatchObject({ sqlstate: "08P01" });
});
