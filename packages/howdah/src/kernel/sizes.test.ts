import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSize, humanSize, parseSize } from "./sizes.js";

const invalid = expect.objectContaining({ code: "INVALID_INPUT" });
const bytes = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

describe("sizes", () => {
  test.each([
    ["0", 0],
    ["512", 512],
    ["512b", 512],
    ["512M", 512 * 2 ** 20],
    ["512mb", 512 * 2 ** 20],
    ["512Mi", 512 * 2 ** 20],
    ["512 MiB", 512 * 2 ** 20],
    ["1Gi", 2 ** 30],
    ["1.5g", 1.5 * 2 ** 30],
    ["2T", 2 ** 41],
    ["1P", 2 ** 50],
    [" 64kB ", 65_536],
  ])("'%s' is %d bytes", (text, expected) => expect(parseSize(text)).toBe(expected));

  test.each(["", "M", "-1", "1e3", "5i", "5ib", "1,5G", "0x10", "1 G B", "1GG", "1.M", ".5M", "NaN", "9999999P", "∞"])(
    "'%s' is refused",
    (text) => expect(() => parseSize(text)).toThrow(invalid),
  );

  test("what is written is read as the same number of bytes", () => {
    fc.assert(
      fc.property(bytes, (n) => {
        expect(parseSize(formatSize(n))).toBe(n);
      }),
    );
  });

  test("whole multiples are written with their unit", () => {
    expect([0, 1000, 1024, 512 * 2 ** 20, 3 * 2 ** 40].map(formatSize)).toEqual(["0", "1000", "1Ki", "512Mi", "3Ti"]);
  });

  test("text either is a size or is refused, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,5} ?[kmgtpibKMGTPIB]{0,3}$/)), (text) => {
        try {
          expect(Number.isSafeInteger(parseSize(text))).toBe(true);
        } catch (error) {
          expect(error).toEqual(invalid);
        }
      }),
    );
  });

  test("for people: at most three digits, within half a percent", () => {
    fc.assert(
      fc.property(bytes, (n) => {
        const [, value = "", unit = ""] = /^([\d.]+) (B|KiB|MiB|GiB|TiB|PiB)$/.exec(humanSize(n)) ?? [];
        expect(value.replace(/^0\.0*|\./g, "").length).toBeLessThanOrEqual(3);
        const power = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].indexOf(unit);
        expect(Math.abs(Number(value) * 1024 ** power - n)).toBeLessThanOrEqual(n * 0.005);
      }),
    );
    expect([0, 999, 1024, 1_610_612_736, 1_048_524].map(humanSize)).toEqual([
      "0 B",
      "999 B",
      "1 KiB",
      "1.5 GiB",
      "1 MiB",
    ]);
  });
});
