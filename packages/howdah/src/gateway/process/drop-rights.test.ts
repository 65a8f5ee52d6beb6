import { describe, expect, it } from "vitest";
import { parseUser } from "./drop-rights.js";

describe("the gateway's user", () => {
  it("is named by two numbers, or not at all", () => {
    expect(parseUser("-", "-")).toBeNull();
    expect(parseUser("70001", "70002")).toEqual({ uid: 70_001, gid: 70_002 });
    for (const [uid, gid] of [
      ["0", "1"],
      ["1", "0"],
      ["-", "1"],
      ["1", undefined],
      ["x", "1"],
      ["", ""],
      ["1.5", "1"],
    ]) {
      expect(() => parseUser(uid, gid)).toThrow("no user and group");
    }
  });
});
