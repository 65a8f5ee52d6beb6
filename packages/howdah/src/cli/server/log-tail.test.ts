import { closeSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { logTail, openServerLog } from "./log-tail.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("shows what was written since, in the words of people", () => {
  const path = join(folder, "server.log");
  writeFileSync(path, "old\n");
  const { fd, size } = openServerLog(path);
  writeSync(fd, `plain\n${JSON.stringify({ level: 50, msg: "failed", err: { message: "why" } })}\n{"cut\n\n`);
  closeSync(fd);
  expect(logTail(path, size, 10)).toEqual(["plain", "failed: why", '{"cut']);
  expect(logTail(path, size, 1)).toEqual(['{"cut']);
});

it("starts over when the log was emptied meanwhile", () => {
  const path = join(folder, "server.log");
  writeFileSync(path, "x".repeat(1_000));
  const { fd, size } = openServerLog(path);
  truncateSync(path);
  writeSync(fd, "new\n");
  closeSync(fd);
  expect(logTail(path, size, 10)).toEqual(["new"]);
});

it("is made for its owner only", () => {
  const path = join(folder, "server.log");
  closeSync(openServerLog(path).fd);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
