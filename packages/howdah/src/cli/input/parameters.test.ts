import { describe, expect, it } from "vitest";
import { parseParameters } from "./parameters.js";

describe("parseParameters", () => {
  it("splits at the first sign only, and keeps empty values", () => {
    expect(parseParameters(["password=a=b", "set.work_mem=", "__proto__=x"])).toEqual(
      Object.fromEntries([
        ["password", "a=b"],
        ["set.work_mem", ""],
        ["__proto__", "x"],
      ]),
    );
    expect(parseParameters(undefined)).toEqual({});
  });

  it("refuses what has no key, and a key twice, without showing values", () => {
    for (const words of [["hunter2"], ["=hunter2"], ["a=hunter2", "a=hunter2"]]) {
      expect(() => parseParameters(words)).toThrow(expect.not.stringContaining("hunter2"));
    }
  });
});
