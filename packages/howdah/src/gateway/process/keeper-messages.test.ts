import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isListenerHandle, readToKeeper } from "./keeper-messages.js";

describe("what a worker says to its keeper", () => {
  it("is read field by field", () => {
    expect(readToKeeper({ say: "hold", service: 3, turn: 1, more: "x" })).toEqual({ say: "hold", service: 3, turn: 1 });
    expect(readToKeeper({ say: "ready", service: 3 })).toEqual({ say: "ready" });
    for (const service of [0, -1, 1.5, "1", null, undefined]) {
      expect(readToKeeper({ say: "drop", service, turn: 1 })).toBeNull();
    }
  });

  it("is nothing when it is anything else", () => {
    fc.assert(fc.property(fc.anything(), (message) => readToKeeper(message) === null));
    for (const value of [undefined, null, 1, {}, { close: 1 }]) expect(isListenerHandle(value)).toBe(false);
  });
});
