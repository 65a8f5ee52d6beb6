import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { InFlight } from "./in-flight.js";

test("drained when the last answer is out; what waits for the end itself does not count", async () => {
  const inFlight = new InFlight();
  const seen: string[] = [];
  const listener = inFlight.counting(
    (request) => seen.push(request.url ?? ""),
    (path) => path === "/shutdown",
  );
  const ask = (url: string): EventEmitter => {
    const response = new EventEmitter();
    listener({ url } as IncomingMessage, response as ServerResponse);
    return response;
  };
  await inFlight.drained(60_000);
  const [first, second] = [ask("/a"), ask("/b")];
  ask("/shutdown");
  let drained = false;
  const waiting = inFlight.drained(60_000).then(() => {
    drained = true;
  });
  first.emit("close");
  await new Promise((resolve) => setImmediate(resolve));
  expect(drained).toBe(false);
  second.emit("close");
  await waiting;
  expect(seen).toEqual(["/a", "/b", "/shutdown"]);
});

test("what never ends is not waited for", async () => {
  const inFlight = new InFlight();
  const listener = inFlight.counting(
    () => undefined,
    () => false,
  );
  listener({ url: "/" } as IncomingMessage, new EventEmitter() as ServerResponse);
  await inFlight.drained(10);
});
