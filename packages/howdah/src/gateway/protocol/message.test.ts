import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeMessage, parseMessage, zeroTerminated } from "./message.js";
import { fedByteByByte, outcome, violation } from "./testing/outcome.js";

const header = (length: number) => {
  const bytes = Buffer.from("p\0\0\0\0");
  bytes.writeUInt32BE(length >>> 0, 1);
  return bytes;
};

describe("a message", () => {
  it("is its type and its body", () => {
    expect(parseMessage(Buffer.from("p\0\0\0\x07abcZ"), 100)).toEqual({
      type: 0x70,
      body: Buffer.from("abc"),
      length: 8,
    });
    expect(parseMessage(Buffer.from("X\0\0\0\x04"), 4)).toEqual({ type: 0x58, body: Buffer.alloc(0), length: 5 });
  });

  it("is refused for its length as soon as that is there", () => {
    for (const length of [0, 3, 101, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      expect(violation(() => parseMessage(header(length), 100))).toMatchObject({
        sqlstate: "08P01",
        message: "invalid message length",
      });
    }
    expect(parseMessage(header(100), 100)).toBeNull();
  });

  it("is the same however it is cut", () => {
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b)),
      fc.uint8Array({ maxLength: 40 }).map((b) => encodeMessage("R", Buffer.from(b))),
    );
    const parse = (buffer: Buffer) => parseMessage(buffer, 30);
    fc.assert(
      fc.property(any, fc.uint8Array({ maxLength: 8 }), (message, tail) => {
        const { outcome: result, taken } = fedByteByByte(parse, message);
        if ("value" in result && result.value === null) return;
        expect(outcome(() => parse(Buffer.concat([message, tail])))).toEqual(result);
        if ("value" in result) expect(result.value?.length).toBe(taken);
      }),
      { numRuns: 1_000 },
    );
  });

  it("cannot end a text early", () => {
    expect(() => zeroTerminated("a\0b")).toThrow(RangeError);
  });
});
