import { afterEach, expect, test, vi } from "vitest";
import { createLogger } from "../kernel/log.js";
import { watchProcess } from "./process-events.js";

const log = createLogger("silent");
const events = ["SIGTERM", "SIGINT", "SIGHUP", "uncaughtException", "unhandledRejection"] as const;
const counts = () => events.map((event) => process.listenerCount(event));

afterEach(() => vi.restoreAllMocks());

test("the first signal asks, the second ends at once, on purpose", () => {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => {
    throw new Error("ended");
  });
  const ask = vi.fn();
  using _watch = watchProcess(log, ask);
  process.emit("SIGHUP", "SIGHUP");
  expect(ask).toHaveBeenCalledTimes(1);
  expect(exit).not.toHaveBeenCalled();
  expect(() => process.emit("SIGHUP", "SIGHUP")).toThrow("ended");
  expect(ask).toHaveBeenCalledTimes(1);
  expect(exit).toHaveBeenCalledWith(0);
});

test("an error that nobody caught ends it as a kill would", () => {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  using _watch = watchProcess(log, () => undefined);
  // Called directly: vitest listens for the event, too.
  process.listeners("uncaughtException").at(-1)?.(new Error("x"), "uncaughtException");
  process.listeners("unhandledRejection").at(-1)?.(new Error("x"), Promise.resolve());
  expect(exit.mock.calls).toEqual([[134], [134]]);
});

test("nothing stays behind", () => {
  const before = counts();
  const watch = watchProcess(log, () => undefined);
  expect(counts()).toEqual(before.map((n) => n + 1));
  watch[Symbol.dispose]();
  expect(counts()).toEqual(before);
});
