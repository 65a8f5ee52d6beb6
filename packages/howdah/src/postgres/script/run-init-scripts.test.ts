import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { chown, rm } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { isHowdahError } from "../../kernel/errors.js";
import { createLogger } from "../../kernel/log.js";
import { readProcess } from "../../runtime/process/index.js";
import type { InitScript } from "../../spec/index.js";
import { createCluster } from "../cluster/index.js";
import { createEngines } from "../distribution/index.js";
import { temporaryFolder } from "../distribution/testing/temporary.js";
import { startTemporaryServer, type TemporaryServer } from "../distribution/testing/temporary-server.js";
import { type InitScriptsOptions, runInitScripts } from "./run-init-scripts.js";
import { PLAIN_DUMP } from "./testing/plain-dump.js";

const uid = process.geteuid?.() === 0 ? 70_322 : null;
const folder = temporaryFolder("scripts");
const lines: Record<string, unknown>[] = [];
const log = createLogger("debug", { write: (line) => void lines.push(JSON.parse(line)) });
const texts = () => lines.map((line) => line["text"]);
let server: TemporaryServer;
let open = 0;
let n = 0;

beforeAll(async () => {
  const distribution = await createEngines({ engines: join(folder.path, "engines"), log }).resolve(18);
  const data = join(folder.path, "data");
  await createCluster({ distribution, poolDir: join(folder.path, "pool"), dataDir: data, uid, initdbArgs: [], log });
  server = await startTemporaryServer({ distribution, data, folder: folder.path, uid });
  mkdirSync(join(folder.path, "work"), { mode: 0o700 });
  if (uid !== null) await chown(join(folder.path, "work"), uid, uid);
}, 60_000);
afterAll(async () => {
  await server.stop();
  folder.remove();
});
beforeEach(async () => {
  lines.length = 0;
  await sql("postgres", `create database test${++n}`);
  return async () => {
    expect(open, "connections left open").toBe(0);
    await rm(join(folder.path, "work", "init"), { recursive: true, force: true });
  };
});

const script = (name: string, content: string | Buffer, executable = false): InitScript => ({
  name,
  contentBase64: Buffer.from(content).toString("base64"),
  executable,
});

async function connect(database: string) {
  const client = await server.connect(database);
  open++;
  client.once("end", () => open--);
  return client;
}

function run(scripts: readonly InitScript[], options: Partial<InitScriptsOptions> = {}): Promise<void> {
  return runInitScripts({
    scripts,
    connect,
    database: `test${n}`,
    variables: {
      POSTGRES_USER: "howdah_admin",
      POSTGRES_PASSWORD: "s3cr3t-word",
      PGHOST: server.socket,
      PGPORT: "5432",
      PGUSER: "howdah_admin",
      PGDATABASE: `test${n}`,
    },
    uid,
    workDir: join(folder.path, "work", "init"),
    onProgress: () => {},
    log,
    ...options,
  });
}

async function sql(database: string, text: string): Promise<unknown[]> {
  const client = await server.connect(database);
  try {
    return (await client.query({ text, rowMode: "array" })).rows.flat();
  } finally {
    await client.end();
  }
}
const here = (text: string) => sql(`test${n}`, text);

describe("SQL scripts", () => {
  it("run in the order of their names, each in a connection of its own, compressed or not", async () => {
    const progress: string[] = [];
    await run(
      [
        script("b.sql", "insert into t select current_setting('work_mem');"),
        script(
          "B.sql.gz",
          gzipSync("create table t (a text);\nset work_mem = '7MB';\nbegin; insert into t values ('lost');"),
        ),
        script("a.sql", "insert into t values ('a');"),
      ],
      { onProgress: (message) => progress.push(message) },
    );
    expect(progress).toEqual(["running B.sql.gz (1 of 3)", "running a.sql (2 of 3)", "running b.sql (3 of 3)"]);
    expect(await here("select a from t order by ctid")).toEqual(["a", "4MB"]);
  });

  it("send each statement alone, in every kind of quotes", async () => {
    await run([
      script(
        "all.sql",
        `\uFEFF-- a comment; with a semicolon
         CREATE DATABASE other${n};\r
         VACUUM;
         CREATE TABLE "odd;name" (v text DEFAULT 'it''s; so', w text DEFAULT E'a\\';b'
           'c');
         CREATE FUNCTION twice(i int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN /* ; */ RETURN i * 2; END; $f$;
         CREATE FUNCTION thrice(i int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN i > 0 THEN i * 3 ELSE 0 END; END;
         DO $$ BEGIN PERFORM 1; RAISE NOTICE 'made; %', twice(21); END $$;
         INSERT INTO "odd;name" DEFAULT VALUES;
         INSERT INTO "odd;name" VALUES ('schön 😀', thrice(2)::text)`,
      ),
    ]);
    expect(await here('select v, w from "odd;name"')).toEqual(["it's; so", "a';bc", "schön 😀", "6"]);
    expect(texts()).toContain("made; 42");
    await sql("postgres", `drop database other${n}`);
  });

  it("follow standard_conforming_strings as the session changes it", async () => {
    await run([
      script(
        "s.sql",
        "set escape_string_warning = off; set standard_conforming_strings = off; create table t as select 'a\\';b' as v; select 1;",
      ),
    ]);
    expect(await here("select v from t")).toEqual(["a';b"]);
  });

  it("load a plain dump as pg_dump writes it", async () => {
    await run([script("dump.sql", PLAIN_DUMP.replaceAll("@", String(n)))]);
    expect(await sql(`shop${n}`, "select id, name from public.customers order by id")).toEqual([
      1,
      "Ann",
      2,
      "tab\there",
      3,
      null,
    ]);
    expect(await sql(`shop${n}`, "select public.customer_count()")).toEqual(["3"]);
    expect(await here("select count(*)::int from pg_class where relname = 'customers'")).toEqual([0]);
    await sql("postgres", `drop database shop${n}`);
  });

  it("copy rows of many megabytes, and rows that look like ends", async () => {
    const rows = 200_000;
    const data = Array.from({ length: rows }, (_, i) => `${i}\tvalue;'${i}\\\\.`).join("\n");
    const big = gzipSync(`create table t (i int, v text);\ncopy t from stdin;\n${data}\n\\.\nselect 1;`, { level: 1 });
    await run([script("big.sql.gz", big)]);
    expect(await here("select count(*)::int, max(i), max(v) filter (where i = 7) from t")).toEqual([
      rows,
      rows - 1,
      "value;'7\\.",
    ]);
  });

  it("know \\gexec, \\connect, \\echo, ON_ERROR_STOP off and \\q", async () => {
    await run([
      script(
        "meta.sql",
        `SELECT 'CREATE DATABASE extra${n}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'extra${n}')\\gexec
\\c extra${n}
CREATE TABLE there (a int);
\\connect - howdah_admin
\\set ON_ERROR_STOP off
SELECT 1/0;
COPY nowhere FROM stdin;
1
\\.
COPY there FROM stdin;
not a number
\\.
\\set ON_ERROR_STOP on
INSERT INTO there VALUES (5) \\g
\\echo 'all is well'
\\q
SELECT 1/0;
`,
      ),
    ]);
    expect(await sql(`extra${n}`, "select a from there")).toEqual([5]);
    expect(texts()).toContain("all is well");
    expect(texts()).toContain("division by zero");
    await sql("postgres", `drop database extra${n}`);
  });

  it.each([
    [
      "a statement",
      "create table t (a int);\n\nselect\n  1,\n  'é', nonesuch;\nselect 2;",
      5,
      'column "nonesuch" does not exist',
    ],
    [
      "a row of COPY",
      "create table t (a int);\ncopy t\n from stdin;\n1\n2\nx\n4\n\\.\nselect 1;",
      6,
      'invalid input syntax for type integer: "x"',
    ],
    ["COPY itself", "select 1;\ncopy nowhere from stdin;\n1\n\\.\n", 2, 'relation "nowhere" does not exist'],
    ["a backslash command", "select 1;\n\\i other.sql\n", 2, "the psql command '\\i' is not possible here"],
    ["a backslash command in a statement", "select 1\n\\echo x\n;", 2, "the statement on line 1 has no semicolon"],
    ["a database that is missing", "\n\\c nonesuch\n", 2, 'database "nonesuch" does not exist'],
    ["another user", "\\c - bob", 1, "\\connect cannot log in as 'bob'"],
    ["commands behind \\restrict", "\\restrict k\n\\c postgres\n", 2, "switched off by '\\restrict'"],
    ["a wrong key", "\\restrict k\n\\unrestrict l\n", 2, "another key"],
    ["another encoding", "select 1;\nset client_encoding = 'LATIN1';\n", 2, "sets client_encoding to 'LATIN1'"],
    [
      "text behind COPY",
      "create table t (a int);\ncopy t from stdin; select 1;\n\\.\n",
      2,
      "the data of COPY begin on the next line",
    ],
  ])("fail at the line: %s", async (_, text, line, message) => {
    const before = script("0.sql", "create table before (a int);");
    const after = script("2.sql", "create table after (a int);");
    const error = await run([before, script("1.sql", text), after]).catch((e: unknown) => e);
    expect(isHowdahError(error, "INIT_SCRIPT_FAILED")).toBe(true);
    expect(error).toMatchObject({
      message: expect.stringContaining(`1.sql, line ${line}: `),
      place: { file: "1.sql", line },
    });
    expect((error as Error).message).toContain(message);
    expect(await here("select count(*)::int from pg_class where relname in ('before', 'after')")).toEqual([1]);
  });

  it("tell what to do about psql's variables and extensions that are missing", async () => {
    await expect(run([script("v.sql", "create role x password :'secret';")])).rejects.toMatchObject({
      hint: expect.stringContaining("instead of :'secret'"),
    });
    await expect(run([script("e.sql", "create extension vector;")])).rejects.toMatchObject({
      message: expect.stringContaining('extension "vector" is not available'),
      hint: expect.stringContaining("has no extension 'vector'"),
    });
  });

  it.each([
    ["latin.sql", Buffer.from("select 1;\nselect 'sch\xf6n';", "latin1"), "is not text in UTF-8"],
    ["utf16.sql", Buffer.from("select 1;", "utf16le"), "NUL"],
    ["dump.sql", Buffer.from("PGDMP\x01\x0f"), "custom format"],
    ["plain.sql.gz", Buffer.from("select 1;"), "not a whole gzip file"],
    ["cut.sql.gz", gzipSync("select 1;".repeat(1_000)).subarray(0, 30), "not a whole gzip file"],
  ])("that are none are refused: %s", async (name, content, message) => {
    await expect(run([script(name, content)])).rejects.toMatchObject({
      code: "INIT_SCRIPT_FAILED",
      message: expect.stringContaining(message),
    });
  });

  it("are given up when asked to, in the middle of a statement and of a COPY", async () => {
    for (const text of [
      "select pg_sleep(600);",
      `create table t (a text);\ncopy t from stdin;\n${"x\n".repeat(3_000_000)}\\.\nselect pg_sleep(600);`,
    ]) {
      const controller = new AbortController();
      const going = run([script("long.sql", text)], { signal: controller.signal });
      setTimeout(() => controller.abort(new Error("enough")), 150);
      await expect(going).rejects.toThrow("enough");
    }
  });

  it("survive a server that goes away", async () => {
    const text = "select pg_terminate_backend(pg_backend_pid());";
    await expect(run([script("end.sql", text)])).rejects.toMatchObject({ code: "INIT_SCRIPT_FAILED" });
  });
});

describe("shell scripts", () => {
  it("are sourced with errexit, or run by their shebang, in an empty folder, as the service's user", async () => {
    await run([
      script("1-sourced.sh", 'ls -A | wc -l | tr -d " "\necho "$POSTGRES_USER uid $(id -u)"\numask\n'),
      script(
        "2-run.sh",
        "#!/usr/bin/env node\nconsole.log('node', process.argv.length, Object.keys(process.env).includes('HOME'))\n",
        true,
      ),
      script("3-bare.sh", "echo bare $0 | sed 's/.*\\///'\n", true),
    ]);
    expect(texts()).toEqual([
      "0",
      `howdah_admin uid ${uid ?? process.geteuid?.()}`,
      "0022",
      "node 2 true",
      "3-bare.sh",
    ]);
    expect(lines.every((line) => line["script"] !== undefined)).toBe(true);
  });

  it("inherit nothing but what they are given", async () => {
    process.env["HOWDAH_TEST_LEAK"] = "leak";
    await run([script("env.sh", "env")]);
    delete process.env["HOWDAH_TEST_LEAK"];
    expect(texts().join("\n")).toContain("POSTGRES_USER=howdah_admin");
    expect(texts().join("\n")).not.toContain("leak");
    // What is printed by accident, or by set -x, is not kept.
    expect(texts()).toContain("POSTGRES_PASSWORD=[redacted]");
  });

  it.each([
    [
      "the first failing command",
      "echo before\nls /nonexistent\necho after\n",
      "No such file or directory",
      /exit code [12]/,
    ],
    ["a failing pipe", "false | cat\necho after\n", "", /exit code 1/],
    ["an exit code", "exit 3", "", /exit code 3/],
    ["a signal", "kill -9 $$", "", /signal SIGKILL/],
  ])("fail with %s and their last lines", async (_, text, said, how) => {
    const error = await run([script("bad.sh", text), script("never.sql", "create table never (a int)")]).catch(
      (e) => e,
    );
    expect(error).toMatchObject({ code: "INIT_SCRIPT_FAILED", message: expect.stringContaining(said) });
    expect(error.message).toMatch(how);
    expect(texts()).not.toContain("after");
    expect(await here("select count(*)::int from pg_class where relname = 'never'")).toEqual([0]);
  });

  it("are told what is missing", async () => {
    await expect(run([script("d.sh", "docker_process_sql -c 'select 1'")])).rejects.toMatchObject({
      hint: expect.stringContaining("function of the official image"),
    });
    await expect(run([script("p.sh", "PATH=/nonexistent psql -c 'select 1'")])).rejects.toMatchObject({
      hint: expect.stringContaining("apt-get install postgresql-client"),
    });
  });

  it("are handed no open file of ours", async ({ skip }) => {
    skip(process.platform !== "linux", "needs /proc");
    await run([script("files.sh", "ls -l /proc/$$/fd")]);
    // Where the test runner itself inherited files, there is nothing in their places.
    const open = texts().flatMap((text) => String(text).split(" -> ").slice(1));
    expect(open.length).toBeGreaterThan(2);
    expect(open.filter((to) => !/^(\/dev\/null|socket:.*|.*\/files\.sh)$/.test(to))).toEqual([]);
  });

  it("may write a line without an end: its beginning is told, and no more of it is in memory", async () => {
    // More than a string can hold.
    const text = "head -c 600000000 /dev/zero | tr '\\0' x\necho\necho after\nprintf end";
    await run([script("long-line.sh", text)]);
    expect(texts()).toEqual(["x".repeat(4_096), "after", "end"]);
  }, 60_000);

  it("leave nothing running, neither at their end nor when given up", async () => {
    await run([script("bg.sh", "sleep 600 & echo $!")]);
    const controller = new AbortController();
    const going = run([script("long.sh", "echo $$; exec sleep 600")], { signal: controller.signal });
    while (lines.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort(new Error("enough"));
    await expect(going).rejects.toThrow("enough");
    // A dead child that init has not asked about yet counts as gone.
    for (const pid of texts().map(Number)) await vi.waitFor(() => expect(readProcess(pid)).toBeNull());
  });

  it.skipIf(!existsSync("/usr/bin/psql"))("can call psql", async () => {
    await run([
      script("psql.sh", `psql -v ON_ERROR_STOP=1 --no-psqlrc <<-SQL\n\tcreate table by_psql (a int);\nSQL\n`),
    ]);
    expect(await here("select count(*)::int from by_psql")).toEqual([0]);
  });

  it("write nothing outside of their folder", async () => {
    const before = readdirSync(join(folder.path, "work"));
    await run([script("w.sh", "echo x > file")]);
    expect(readdirSync(join(folder.path, "work", "init", "1")).sort()).toEqual(["w.sh", "work"]);
    expect(readdirSync(join(folder.path, "work"))).toEqual([...before, "init"]);
  });
});
