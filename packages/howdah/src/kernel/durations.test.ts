import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration } from "./durations.js";

const invalid = expect.objectContaining({ code: "INVALID_INPUT" });

describe("durations", () => {
  test.each([
    ["0", 0],
    ["0s", 0],
    ["10", 10_000],
    ["1.5", 1_500],
    ["250ms", 250],
    ["10s", 10_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
    ["1W", 604_800_000],
    [" 5M ", 300_000],
  ])("'%s' is %d ms", (text, expected) => expect(parseDuration(text)).toBe(expected));

  test.each([
    "",
    "s",
    "-1s",
    "10x",
    "1h30",
    "30 1h",
    "1h 30m",
    "1e3s",
    "ms5",
    "1..5s",
    "9".repeat(400),
    "99999999999w",
  ])("'%s' is refused", (text) => expect(() => parseDuration(text)).toThrow(invalid));

  test("what is written is read as the same time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  test("written with the largest units, rounded, with its sign", () => {
    expect([0, 0.4, 1_499.6, 5_400_000, 86_400_000 * 9 + 1, -1_500].map(formatDuration)).toEqual([
      "0s",
      "0s",
      "1s500ms",
      "1h30m",
      "9d1ms",
      "-1s500ms",
    ]);
  });

  test("text either is a duration or is refused, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^([0-9.]{1,4}(ms|s|m|h|d|w)?){1,3}$/)), (text) => {
        try {
          expect(parseDuration(text)).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toEqual(invalid);
        }
      }),
    );
  });
});
