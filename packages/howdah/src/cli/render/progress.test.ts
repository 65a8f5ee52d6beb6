import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startProgress } from "./progress.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function record(isTerminal: boolean, width = 40) {
  const written: string[] = [];
  const target = {
    write: (text: string) => void written.push(text.replace("\r\x1b[K", "")),
    isTerminal,
    style: (_tone: string, text: string) => text,
    columns: () => width,
  };
  return { written, target };
}

describe("progress on a terminal", () => {
  it("stays on one line, however much there is to tell", () => {
    const { written, target } = record(true);
    const progress = startProgress("x".repeat(200), target);
    vi.advanceTimersByTime(5_000);
    expect(written.length).toBeGreaterThan(10);
    for (const line of written) expect(line.length).toBeLessThan(40);
    expect(written.at(-1)).toMatch(/x… 4s$|x… 5s$/);
    progress.stop();
    expect(written.at(-1)).toBe("");
  });

  it("is not seen when the command is quick", () => {
    const { written, target } = record(true);
    const progress = startProgress("starting", target);
    vi.advanceTimersByTime(150);
    progress.stop();
    vi.advanceTimersByTime(5_000);
    expect(written).toEqual([]);
  });
});

describe("progress elsewhere", () => {
  it("is a line for each new text, from the second second on", () => {
    const { written, target } = record(false);
    const progress = startProgress("one", target);
    progress.update("two");
    vi.advanceTimersByTime(1_100);
    progress.update("two");
    progress.update("three");
    progress.stop();
    expect(written).toEqual(["two\n", "three\n"]);
  });
});
