import { describe, expect, it } from "vitest";
import { Refusals } from "./refusals.js";

describe("refused logins", () => {
  it("are gathered, and a flood of them stays small", () => {
    const told: unknown[] = [];
    const refusals = new Refusals((notice) => told.push(notice));
    const one = { service: 1, reason: "password", client: "127.0.0.1", role: "app" } as const;
    for (let i = 0; i < 3; i++) refusals.add(one);
    refusals.flush();
    expect(told.splice(0)).toEqual([{ ...one, count: 3 }]);
    for (let i = 0; i < 5_000; i++) refusals.add({ ...one, client: `10.0.${i >> 8}.${i & 255}`, role: "x".repeat(i) });
    refusals.flush();
    expect(told.length).toBe(101);
    expect(told.at(-1)).toEqual({ ...one, client: "many addresses", role: null, count: 4_900 });
    refusals.flush();
    expect(told.length).toBe(101);
  });
});
