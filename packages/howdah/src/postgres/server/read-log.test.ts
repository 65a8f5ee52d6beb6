import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { silent, TestHome } from "../../../test/support/server.js";
import { layoutOf, type ServiceLayout } from "../../runtime/index.js";
import type { ServerSpec } from "../types.js";
import { connectAdmin, pruneLogs, readLog, type ServerLogLine, startServer } from "./index.js";
import { parseLogLine } from "./log-line.js";
import { parsePostmasterPid } from "./postmaster-pid.js";
import { startFailure } from "./start-failure.js";

const never = new AbortController().signal;

async function all(paths: ServiceLayout, lines: number): Promise<string[]> {
  const messages: string[] = [];
  for await (const { message } of readLog(paths, { lines, follow: false, signal: never })) messages.push(message);
  return messages;
}

const entry = (second: number, message: string) =>
  `${JSON.stringify({ timestamp: `2026-01-31 12:00:0${second}.000 UTC`, error_severity: "LOG", message })}\n`;

describe("log files", () => {
  let folder: string;
  let paths: ServiceLayout;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "howdah-log-"));
    paths = layoutOf(folder).service(1);
    mkdirSync(paths.log, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFileSync(join(paths.log, name), text, { flag: "a" });

  it("are read across rotation, the last entries only, oldest first", async () => {
    write("postgresql-20260131-120000.json", entry(0, "a") + entry(1, "b"));
    write("postgresql-20260131-120002.json", entry(2, "c"));
    write("postgresql-20260131-120003.json", entry(3, "d"));
    expect(await all(paths, 3)).toEqual(["b", "c", "d"]);
    expect(await all(paths, 100)).toEqual(["a", "b", "c", "d"]);
    expect(await all(paths, 0)).toEqual([]);
  });

  it("hold the start's own output where it belongs by its time", async () => {
    write("postgresql-20260131-120000.json", entry(0, "a"));
    utimesSync(join(paths.log, "postgresql-20260131-120000.json"), 1, new Date("2026-01-31T12:00:02Z"));
    write("postgresql-20260131-120005.json", entry(5, "c"));
    write(
      "start.log",
      "raw output\n2026-01-31 12:00:03.000 UTC [1] LOG:  redirecting log output to logging collector process\n",
    );
    utimesSync(join(paths.log, "start.log"), new Date("2026-01-31T12:00:03Z"), new Date("2026-01-31T12:00:03Z"));
    expect(await all(paths, 10)).toEqual(["a", "raw output", "c"]);
  });

  it("are followed into new files, and only whole lines are told", async () => {
    write("postgresql-20260131-120000.json", entry(0, "old") + entry(1, "last"));
    const abort = new AbortController();
    const seen: string[] = [];
    const steps = [
      () => write("postgresql-20260131-120000.json", entry(2, "näxt").slice(0, 70)),
      () => write("postgresql-20260131-120000.json", entry(2, "näxt").slice(70) + entry(3, "after")),
      () => write("postgresql-20260131-120009.json", entry(4, "rotated")),
      () => abort.abort(),
    ];
    steps[0]?.();
    setTimeout(() => steps[1]?.(), 250);
    for await (const { message } of readLog(paths, { lines: 1, follow: true, signal: abort.signal })) {
      seen.push(message);
      if (message === "after") steps[2]?.();
      if (message === "rotated") steps[3]?.();
    }
    expect(seen).toEqual(["last", "näxt", "after", "rotated"]);
  });

  it("are read within bounds, however large their owner makes them", { timeout: 20_000 }, async () => {
    const name = "postgresql-20260131-120000.json";
    write(name, entry(0, "a"));
    // A sparse terabyte, and lines so many and so short that they are no arguments of one call.
    truncateSync(join(paths.log, name), 2 ** 40);
    write(name, `\n${"x\n".repeat(300_000)}${entry(1, "b")}`);
    expect((await all(paths, 2)).at(-1)).toBe("b");
    write("postgresql-20260131-120001.json", `${"y".repeat(5_000_000)}\n${entry(2, "c")}`);
    const [long, last] = await all(paths, 2);
    expect([long?.length, last]).toEqual([1024 ** 2, "c"]);
  });

  it("are waited for when there are none yet", async () => {
    rmSync(folder, { recursive: true });
    expect(await all(paths, 10)).toEqual([]);
    const abort = new AbortController();
    setTimeout(() => {
      mkdirSync(paths.log, { recursive: true });
      write("postgresql-20260131-120000.json", entry(0, "first"));
    }, 20);
    for await (const { message } of readLog(paths, { lines: 10, follow: true, signal: abort.signal })) {
      expect(message).toBe("first");
      abort.abort();
    }
  });

  it("are removed, the oldest first, when they are too many or too much", () => {
    for (let i = 0; i < 6; i++) write(`postgresql-20260131-12000${i}.json`, "x".repeat(100));
    write("start.log", "x");
    expect(pruneLogs(paths, { bytes: 350, files: 100 })).toBe(3);
    expect(readdirSync(paths.log).sort()).toEqual([
      "postgresql-20260131-120003.json",
      "postgresql-20260131-120004.json",
      "postgresql-20260131-120005.json",
      "start.log",
    ]);
    expect(pruneLogs(paths, { bytes: 1, files: 0 })).toBe(1);
    expect(readdirSync(paths.log).length).toBe(3);
  });
});

describe("a real server's log", () => {
  let home: TestHome;
  let spec: ServerSpec;
  beforeAll(async () => {
    home = await TestHome.make();
    spec = await home.server({ fsync: "off", log_min_messages: "log" });
    await startServer(spec, { log: silent });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it("is followed across a rotation", async () => {
    const client = await connectAdmin(spec);
    const say = (text: string) => client.query(`DO $$ BEGIN RAISE LOG '%', '${text}'; END $$`);
    const abort = new AbortController();
    const seen: ServerLogLine[] = [];
    await say("one");
    const reading = (async () => {
      for await (const line of readLog(spec.paths, { lines: 100, follow: true, signal: abort.signal })) seen.push(line);
    })();
    const said = (text: string) => seen.some(({ message }) => message.startsWith(text));
    await expect.poll(() => said("one"), { timeout: 5_000 }).toBe(true);
    // The name has seconds: a rotation within the same one would go on in the same file.
    const files = () => readdirSync(spec.paths.log).filter((name) => name.endsWith(".json"));
    const before = files().length;
    await expect
      .poll(async () => (await client.query("SELECT pg_rotate_logfile()")) && files().length, { timeout: 10_000 })
      .toBeGreaterThan(before);
    await say("two");
    await expect.poll(() => said("two"), { timeout: 5_000 }).toBe(true);
    abort.abort();
    await reading;
    await client.end();
    const line = seen.find(({ message }) => message.startsWith("two"));
    expect(line).toMatchObject({ level: "LOG", at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) });
    expect(Math.abs(Date.parse(line?.at ?? "") - Date.now())).toBeLessThan(60_000);
    for (const name of readdirSync(spec.paths.log)) {
      expect(statSync(join(spec.paths.log, name)).mode & 0o077).toBe(0);
    }
  });
});

describe("parseLogLine", () => {
  it("reads the plain log of old majors and of the start", () => {
    expect(parseLogLine("2026-01-31 12:00:00.123 UTC [42] FATAL:  no: way")).toEqual({
      at: "2026-01-31T12:00:00.123Z",
      level: "FATAL",
      message: "no: way",
    });
    expect(parseLogLine("mine> [3] ERROR:  oops")).toEqual({ at: null, level: "ERROR", message: "oops" });
    expect(parseLogLine("sh: 1: nothing")).toEqual({ at: null, level: null, message: "sh: 1: nothing" });
    expect(parseLogLine("{not json")).toEqual({ at: null, level: null, message: "{not json" });
    expect(parseLogLine("  ")).toBeNull();
  });

  it("keeps detail, hint and statement of a JSON entry", () => {
    const line = JSON.stringify({ error_severity: "ERROR", message: "m", detail: "d", hint: "h", statement: "s" });
    expect(parseLogLine(line)).toEqual({ at: null, level: "ERROR", message: "m\nDETAIL:  d\nHINT:  h\nSTATEMENT:  s" });
  });
});

describe("parsePostmasterPid", () => {
  it("reads number and state, also while the file is being written", () => {
    const file = "123\n/data\n1700000000\n5432\n/sock\n127.0.0.1\n  12 34\n";
    expect(parsePostmasterPid(`${file}ready   \n`)).toEqual({ pid: 123, standalone: false, status: "ready" });
    expect(parsePostmasterPid(file)).toEqual({ pid: 123, standalone: false, status: "" });
    expect(parsePostmasterPid("-77\n")).toEqual({ pid: 77, standalone: true, status: "" });
    expect(parsePostmasterPid("")).toBeNull();
  });
});

describe("startFailure", () => {
  const failure = (...messages: string[]) =>
    startFailure(
      { title: "a/b" },
      messages.map((message) => ({ at: null, level: "FATAL", message })),
    );

  it.each([
    ["HOME_UNUSABLE", "could not create any Unix-domain sockets"],
    ["HOME_UNUSABLE", 'could not create lock file "/s/.s.PGSQL.5432.lock": Permission denied'],
    ["DISK_FULL", 'could not write lock file "/s/.s.PGSQL.5432.lock": No space left on device'],
    ["DISK_FULL", 'could not write lock file "postmaster.pid": No space left on device'],
    ["POSTGRES_START_FAILED", "could not map anonymous shared memory: Cannot allocate memory"],
    ["POSTGRES_START_FAILED", 'could not resize shared memory segment "/P" to 1 bytes: No space left on device'],
    ["POSTGRES_START_FAILED", "database files are incompatible with server"],
  ])("is %s for '%s'", (code, message) => {
    expect(failure(message)).toMatchObject({ code });
  });

  it("says so when there was no word", () => {
    expect(failure().message).toBe("server 'a/b' did not start: it ended without a word");
  });
});
