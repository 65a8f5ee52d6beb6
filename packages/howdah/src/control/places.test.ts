import { describe, expect, it } from "vitest";
import { Places } from "./places.js";

describe("places", () => {
  it("lets so many work at a time, the others in their order", async () => {
    const places = new Places(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const runs = [0, 1, 2, 3].map((n) =>
      places.run(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    for (let n = 0; n < 4; n++) {
      ends[n]?.();
      await runs[n];
      expect(begun.length).toBe(Math.min(4, n + 3));
    }
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it("are not kept by work that never ends", async () => {
    const places = new Places(1, 1);
    void places.run(() => new Promise(() => undefined));
    let done = 0;
    for (let n = 0; n < 3; n++) {
      await places.run(async () => {
        done++;
      });
    }
    expect(done).toBe(3);
    await places.run(() => Promise.reject(new Error("told"))).catch(() => done++);
    expect(done).toBe(4);
  });
});
