import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { boundLog, removeServerInfo, writeServerInfo } from "./server-files.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "howdah-files-"));
});
afterEach(async () => rm(folder, { recursive: true }));

test("server.json is private, whole, and replaces the last one", async () => {
  const path = join(folder, "server.json");
  const info = { pid: 1, url: "http://127.0.0.1:7700", version: "1.0.0", started_at: "2026-01-02T03:04:05.000Z" };
  writeFileSync(`${path}.tmp`, "of a server that was killed", { mode: 0o644 });
  await writeServerInfo(path, info);
  await writeServerInfo(path, { ...info, pid: 2 });
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ ...info, pid: 2 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["server.json"]);
  await removeServerInfo(path);
  await removeServerInfo(path);
  expect(readdirSync(folder)).toEqual([]);
});

test("a log that has grown large is kept aside, and whoever has it open goes on writing", async () => {
  const path = join(folder, "server.log");
  const fd = openSync(path, "a", 0o600);
  writeSync(fd, "old line\n");
  await boundLog(path, 100);
  expect(readdirSync(folder)).toEqual(["server.log"]);
  appendFileSync(path, "x".repeat(100));
  await boundLog(path, 100);
  writeSync(fd, "new line\n");
  closeSync(fd);
  expect(readFileSync(path, "utf8")).toBe("new line\n");
  expect(readFileSync(`${path}.1`, "utf8")).toBe(`old line\n${"x".repeat(100)}`);
  expect(statSync(`${path}.1`).mode & 0o777).toBe(0o600);
});

test("no log, nothing to do", async () => {
  await boundLog(join(folder, "none.log"), 0);
  expect(readdirSync(folder)).toEqual([]);
});
