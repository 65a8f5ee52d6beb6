import { describe, expect, it } from "vitest";
import { StrayCancels } from "./stray-cancels.js";

describe("stray requests to cancel", () => {
  it("are passed on, but not as many as a stranger likes, and never with a number that no process has", () => {
    const told: number[] = [];
    const strays = new StrayCancels(({ pid }) => told.push(pid));
    for (const pid of [-1, 0, 7]) strays.add({ service: 1, pid, secret: "00" }, 1_000);
    expect(told).toEqual([7]);
    for (let i = 0; i < 1_000; i++) strays.add({ service: 1, pid: 8, secret: "00" }, 1_500);
    expect(told.length).toBe(20);
    strays.add({ service: 1, pid: 9, secret: "00" }, 2_000);
    expect(told.at(-1)).toBe(9);
  });
});
