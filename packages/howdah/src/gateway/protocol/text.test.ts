import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeText, encodeText } from "./text.js";

it("keeps every byte", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(encodeText(decodeText(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
    }),
  );
});

it("keeps every byte where pieces of UTF-8 are cut and mixed", () => {
  const piece = fc.constantFrom(
    Buffer.from("é"),
    Buffer.from("ł").subarray(0, 1),
    Buffer.from("€").subarray(0, 2),
    Buffer.from("😀"),
    Buffer.from("😀").subarray(1),
    Buffer.from([0xed, 0xb2, 0x80]), // a surrogate in UTF-8, which is none
    Buffer.from([0xc0, 0x80]), // an overlong zero
    Buffer.from([0xef, 0xbb, 0xbf]), // a byte order mark
    Buffer.from("a"),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const bytes = Buffer.concat(pieces);
      expect(encodeText(decodeText(bytes))).toEqual(bytes);
    }),
  );
});

it("is UTF-8 wherever it can be", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(decodeText(Buffer.from(text))).toBe(Buffer.from(text).toString());
    }),
  );
  expect(decodeText(Buffer.from("caf\u00e9", "latin1"))).toBe("caf\udce9");
  expect(encodeText("caf\udce9")).toEqual(Buffer.from("café", "latin1"));
});
