import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSecretBox, KEY_BYTES } from "./secret-box.js";

const box = createSecretBox(randomBytes(KEY_BYTES));
const text = fc.string({ unit: "binary", maxLength: 200 });
const place = fc.record({
  table: fc.string({ maxLength: 8 }),
  row: fc.oneof(fc.nat(), fc.string({ maxLength: 8 }), fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 })),
  column: fc.string({ maxLength: 8 }),
});
const HERE = { table: "services", row: 1, column: "password" };
const damaged = expect.objectContaining({ code: "STATE_DAMAGED" });

describe("secret box", () => {
  test("opens what it sealed, for that place", () => {
    fc.assert(
      fc.property(text, place, (t, p) => {
        expect(box.open(box.seal(t, p), p)).toBe(t);
      }),
    );
  });

  test("any changed bit of any byte is an error", () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.integer({ min: 1, max: 255 }), (t, at, mask) => {
        const sealed = box.seal(t, HERE);
        sealed.writeUInt8(sealed.readUInt8(at % sealed.length) ^ mask, at % sealed.length);
        expect(() => box.open(sealed, HERE)).toThrow(damaged);
      }),
    );
  });

  test("every byte matters: each one of a short secret, changed on its own", () => {
    const sealed = box.seal("tiny", HERE);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => box.open(changed, HERE), `byte ${at}`).toThrow(damaged);
    }
  });

  test("cut or lengthened anywhere is an error", () => {
    const sealed = box.seal("password", HERE);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => box.open(sealed.subarray(0, length), HERE), `${length} bytes`).toThrow(damaged);
    }
    expect(() => box.open(Buffer.concat([sealed, Buffer.of(0)]), HERE)).toThrow(damaged);
  });

  test("a secret does not open in another place", () => {
    fc.assert(
      fc.property(text, place, place, (t, from, to) => {
        fc.pre(JSON.stringify(from) !== JSON.stringify(to));
        expect(() => box.open(box.seal(t, from), to)).toThrow(damaged);
      }),
    );
    const sealed = box.seal("x", { table: "configs", row: ["a", "bc"], column: "value" });
    expect(() => box.open(sealed, { table: "configs", row: ["ab", "c"], column: "value" })).toThrow(damaged);
  });

  test("another key does not open it", () => {
    const other = createSecretBox(randomBytes(KEY_BYTES));
    expect(() => other.open(box.seal("x", HERE), HERE)).toThrow(damaged);
  });

  test("the same text never looks the same twice, and is not to be seen", () => {
    const sealed = Array.from({ length: 50 }, () => box.seal("correct horse", HERE).toString("latin1"));
    expect(new Set(sealed.map((s) => s.slice(1, 13))).size).toBe(50);
    for (const s of sealed) expect(s).not.toContain("horse");
  });

  test("text that is not valid Unicode is refused instead of altered", () => {
    expect(() => box.seal("\ud800", HERE)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  test("an error tells the place and never the bytes", () => {
    const sealed = box.seal("correct horse", HERE);
    sealed.writeUInt8(9, 0);
    expect(() => box.open(sealed, HERE)).toThrow("the secret in services.password of row '1' cannot be decrypted");
  });
});
