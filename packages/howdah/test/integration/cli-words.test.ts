import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WireService } from "../../src/api/client/types.js";
import { FakeApi, Problem } from "../support/fake-api.js";
import { Installation, text, until } from "../support/installation.js";

const SERVICE: WireService = {
  id: 7,
  name: "main",
  service_type: "postgres",
  status: "running",
  version: "18.4",
  connection_info: "postgresql://postgres:***@127.0.0.1:5432/postgres",
  created_at: "2026-05-01T10:00:00.000Z",
  updated_at: "2026-05-01T10:00:00.000Z",
  project: "default",
  slug: "main",
  origin: "api",
  status_detail: null,
  desired: "running",
  busy: false,
  endpoint: { host: "127.0.0.1", port: 5432 },
  mode: { kind: "regular" },
  ssl_mode: "disable",
  listen: "127.0.0.1",
  allow: [],
  hold_ms: 60_000,
  sleep: {
    awake_because: "mode is regular",
    connections: 0,
    wakes: 0,
    last_wake_ms: null,
    last_wake_at: null,
    asleep_since: null,
    asleep_ms: 0,
  },
  engine: "embedded",
  image: null,
  pid: 1,
  data_bytes: 1,
  memory_bytes: 1,
  notices: [],
};
const DETAILS = {
  service: { ...SERVICE, connection_info: "postgresql://postgres:s3cret@127.0.0.1:5432/postgres" },
  current_parameters: { database: "shop", username: "anna", password: "s3cret" },
  parameter_schema: {},
};

describe("the command line", () => {
  let howdah: Installation;
  let api: FakeApi;
  beforeAll(() => {
    howdah = new Installation();
  });
  beforeEach(async () => {
    api = await FakeApi.listen(howdah.home);
    api.on("GET /external-services", () => [SERVICE]);
    api.on("GET /external-services/find", () => DETAILS);
    api.on("GET /external-services/\\d+", () => DETAILS);
    api.on("GET /external-services/\\d+/wait", () => ({ done: true, service: SERVICE }));
  });
  afterEach(() => api[Symbol.asyncDispose]());
  afterAll(() => howdah[Symbol.asyncDispose]());

  describe("results", () => {
    it("go to stdout, as text or as one JSON document", async () => {
      const plain = await howdah.run(["services", "list"]);
      expect(plain).toMatchObject({ code: 0, stderr: "" });
      expect(plain.stdout).toMatch(/^ID +NAME .*\n *7 +main /);
      expect(JSON.parse(await howdah.ok(["--json", "services", "list"]))).toEqual([SERVICE]);
      expect(await howdah.ok(["services", "url", "main"])).toBe(`${DETAILS.service.connection_info}\n`);
      expect(await howdah.json(["services", "show", "main"])).toMatchObject({
        ...DETAILS.service,
        service: DETAILS.service,
        current_parameters: DETAILS.current_parameters,
      });
    });

    it("are not shown in colours when piped, whatever the terminal", async () => {
      const { stdout } = await howdah.run(["services", "list"], { env: { NO_COLOR: "", TERM: "xterm-256color" } });
      expect(stdout).not.toContain("\x1b");
    });

    it("end quietly when the reader leaves", async () => {
      api.on("GET /external-services/7/logs", async function* () {
        for (let i = 0; i < 100_000; i++) yield { at: null, level: null, message: `line ${i} ${"x".repeat(100)}` };
      });
      const child = howdah.spawn(["services", "logs", "main", "-f"]);
      child.stdout?.once("data", () => child.stdout?.destroy());
      const [stderr, code] = await Promise.all([
        text(child.stderr),
        new Promise((resolve) => child.once("exit", resolve)),
      ]);
      expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    });
  });

  describe("errors", () => {
    it("of the server keep code, message and hint, and exit as the registry says", async () => {
      api.on("GET /external-services/find", () => new Problem(409, "SERVICE_AMBIGUOUS", "'main' is in two projects"));
      const plain = await howdah.run(["services", "url", "main"]);
      expect(plain).toEqual({
        code: 5,
        stdout: "",
        stderr: "error: 'main' is in two projects (SERVICE_AMBIGUOUS)\n  The hint as sent.\n",
      });
      const json = await howdah.run(["services", "url", "main", "--json"]);
      expect(json.code).toBe(5);
      expect(JSON.parse(json.stdout).error).toMatchObject({ code: "SERVICE_AMBIGUOUS", exit_code: 5 });
    });

    it("in the words are told with a suggestion, under --json as a document", async () => {
      const plain = await howdah.run(["servces"]);
      expect(plain).toMatchObject({ code: 2, stdout: "" });
      expect(plain.stderr).toContain("unknown command 'servces'");
      expect(plain.stderr).toContain("Did you mean service");
      const json = await howdah.run(["services", "list", "--nope", "--json"]);
      expect(json.code).toBe(2);
      expect(JSON.parse(json.stdout).error).toMatchObject({ code: "USAGE", message: "unknown option '--nope'" });
    });

    it("of an incomplete command show its help", async () => {
      const { code, stdout, stderr } = await howdah.run(["services"]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("Usage: howdah services");
      expect((await howdah.run(["services", "--help"])).code).toBe(0);
      expect(await howdah.ok(["--version"])).toMatch(/^\d+\.\d+\.\d+\n$/);
    });

    it("of the environment name the variable", async () => {
      const { code, stderr } = await howdah.run(["services", "list"], { env: { HOWDAH_API_PORT: "http" } });
      expect(code).toBe(2);
      expect(stderr).toContain("HOWDAH_API_PORT is 'http'");
    });
  });

  describe("names", () => {
    it("may be numbers with --id, and are narrowed with -p", async () => {
      await howdah.ok(["services", "show", "--id", "7", "--reveal"]);
      await howdah.ok(["services", "url", "main", "-p", "shop"]);
      expect(api.requests()).toEqual([
        "GET /external-services/7?reveal=true",
        "GET /external-services/find?name=main&project=shop&reveal=true",
      ]);
      expect((await howdah.run(["services", "show", "main", "--id", "7"])).code).toBe(2);
      expect((await howdah.run(["services", "show", "--id", "x"])).code).toBe(2);
      expect((await howdah.run(["services", "show"])).code).toBe(2);
    });

    it("say so where a project has none", async () => {
      api.on("GET /external-services", () => []);
      expect(await howdah.ok(["services", "list", "-p", "shop"])).toBe("Project 'shop' has no services.\n");
      expect(await howdah.ok(["services", "list"])).toContain("howdah services create");
    });

    it("are looked for in the project of the compose file here first", async () => {
      const folder = join(howdah.folder, "shop");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "compose.yaml"), "services:\n  app:\n    image: node\n");
      api.on("GET /external-services/find", ({ path }) =>
        path.includes("project=shop") ? new Problem(404, "SERVICE_NOT_FOUND", "not in shop") : DETAILS,
      );
      await howdah.ok(["services", "url", "main"], { cwd: folder });
      await howdah.ok(["services", "url", "other/main"], { cwd: folder });
      expect(api.requests()).toEqual([
        "GET /external-services/find?name=main&project=shop&reveal=true",
        "GET /external-services/find?name=main&reveal=true",
        "GET /external-services/find?name=other%2Fmain&reveal=true",
      ]);
    });
  });

  describe("services create", () => {
    it("sends what was typed, waits, and shows the URL without its password", async () => {
      api.on("POST /external-services", () => ({ ...SERVICE, status: "creating" }));
      const words = [
        "-t",
        "postgres",
        "-n",
        "main",
        "-s",
        "version=18-alpine",
        "-s",
        "password=p=w",
        "-p",
        "shop",
        "-y",
      ];
      const { code, stdout, stderr } = await howdah.run(["services", "create", ...words]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("postgresql://postgres:***@127.0.0.1:5432/postgres");
      expect(stdout).toContain("howdah services url main");
      expect(api.asked[0]?.body).toEqual({
        name: "main",
        service_type: "postgres",
        parameters: { version: "18-alpine", password: "p=w" },
        project: "shop",
      });
      expect(api.requests()[1]).toMatch(/^GET \/external-services\/7\/wait/);
    });

    it("does not wait with --no-wait", async () => {
      api.on("POST /external-services", () => ({ ...SERVICE, status: "creating" }));
      expect((await howdah.json(["services", "create", "-n", "main", "--no-wait"])).status).toBe("creating");
      expect(api.requests()).toEqual(["POST /external-services?wait=false"]);
    });

    it("refuses a mistyped --timeout before it asks for anything", async () => {
      const { code, stderr } = await howdah.run(["services", "create", "-n", "main", "--timeout", "banana"]);
      expect({ code, requests: api.requests() }).toEqual({ code: 2, requests: [] });
      expect(stderr).toContain("'banana' is not a duration");
    });

    it("says, when interrupted, that only the waiting ended", async () => {
      api.on("POST /external-services", () => ({ ...SERVICE, status: "creating" }));
      api.on("GET /external-services/7/wait", () => ({ done: false, service: { ...SERVICE, status: "creating" } }));
      const child = howdah.spawn(["services", "create", "-n", "main"]);
      const said = text(child.stderr);
      await until("it waits", () => api.requests().some((r) => r.includes("/wait")));
      child.kill("SIGINT");
      const code = await new Promise((done) => child.once("close", done));
      expect({ code, said: await said }).toEqual({ code: 130, said: expect.stringContaining("the server goes on") });
    });

    it("fails with the reason, also when the service went away meanwhile", async () => {
      api.on("POST /external-services", () => SERVICE);
      api.on("GET /external-services/7/wait", () => new Problem(502, "SERVICE_FAILED", "initdb said no"));
      const failed = await howdah.run(["services", "create", "-n", "main"]);
      expect(failed).toMatchObject({ code: 9, stdout: "" });
      expect(failed.stderr).toContain("service 'main': initdb said no (SERVICE_FAILED)");
      api.on("GET /external-services/7/wait", () => ({ done: true, service: null }));
      expect((await howdah.run(["services", "create", "-n", "main"])).code).toBe(4);
    });
  });

  describe("services remove", () => {
    it("asks for confirmation, which nobody can give without a terminal", async () => {
      const { code, stderr } = await howdah.run(["services", "remove", "main"]);
      expect(code).toBe(2);
      expect(stderr).toContain("CONFIRMATION_REQUIRED");
      expect(api.requests().filter((request) => request.startsWith("DELETE"))).toEqual([]);
    });

    it.each(["-y", "-f"])("removes with %s and tells how to get it back", async (flag) => {
      api.on("DELETE /external-services/7", () => null);
      api.on("GET /external-services/7/wait", () => ({ done: true, service: null }));
      expect(await howdah.ok(["services", "remove", "main", flag])).toContain("howdah services restore-removed --id 7");
    });
  });

  describe("config set", () => {
    const sent = () =>
      api.asked.map(
        ({ path, body }) => [path.replace("/projects/shop/configs/", ""), body as { value: string }] as const,
      );
    const set = (words: string[], options = {}) => howdah.run(["config", "set", "-p", "shop", ...words], options);
    beforeEach(() => {
      api.on("PUT /projects/shop/configs/\\w+", () => ({ written: true }));
    });

    it("takes pairs", async () => {
      expect((await set(["A=1", "B=x=y", "--if-not-set"])).code).toBe(0);
      expect(sent()).toEqual([
        ["A", { value: "1", if_not_set: true }],
        ["B", { value: "x=y", if_not_set: true }],
      ]);
    });

    it("reads standard input and files, without the last line break", async () => {
      writeFileSync(join(howdah.folder, "value"), "of a\nfile\n\n");
      await set(["A", "-"], { input: "p@ss word\r\n" });
      await set(["B", "value"]);
      expect(sent().map(([name, { value }]) => [name, value])).toEqual([
        ["A", "p@ss word"],
        ["B", "of a\nfile\n"],
      ]);
    });

    it("makes values up, and never shows them", async () => {
      const { stdout, stderr } = await set(["A", "--random"]);
      const value = sent()[0]?.[1].value ?? "";
      expect(value).toMatch(/^[A-Za-z0-9]{30,43}$/);
      expect(stdout + stderr).not.toContain(value);
    });

    it("reads dotenv files and the environment", async () => {
      writeFileSync(join(howdah.folder, "x.env"), "A='1 $x'\nB=2 # two\n");
      await set(["--env-file", "x.env"]);
      await set(["C", "--env"], { env: { C: "3" } });
      expect(sent().map(([name, { value }]) => [name, value])).toEqual([
        ["A", "1 $x"],
        ["B", "2"],
        ["C", "3"],
      ]);
    });

    it.each([
      [["A"], 2, "no terminal to ask"],
      [["1A=x"], 2, "invalid config name"],
      [["A=1", "b-c=x"], 2, "invalid config name"],
      [["A", "no-such-file"], 2, "does not exist"],
      [["A", "--env"], 3, "no variable 'A'"],
      // Not a missing file: Node 20 itself looks for the file of any --env-file among a script's words, and ends.
      [["A", "--random", "--env-file", "/dev/null"], 2, "cannot be used with option"],
    ])("%j is refused before anything is sent", async (words, code, message) => {
      const result = await set(words);
      expect(result.code).toBe(code);
      expect(result.stderr).toContain(message);
      expect(api.asked).toEqual([]);
    });
  });

  describe("run", () => {
    const app = (words: string[], options = {}) => howdah.spawn(["run", "-p", "shop", "app", "--", ...words], options);
    beforeEach(() => {
      api.on("GET /projects/shop/environment/app", () => ({ GREETING: "it's $me", PATH: process.env["PATH"] }));
    });

    it("adds the app's variables to those that are there, and passes the exit code on", async () => {
      const print = "console.log(process.env.GREETING, process.env.KEPT); process.exit(7)";
      const child = app([process.execPath, "-e", print], { env: { KEPT: "kept" } });
      const [stdout, code] = await Promise.all([text(child.stdout), new Promise((done) => child.once("close", done))]);
      expect({ stdout, code }).toEqual({ stdout: "it's $me kept\n", code: 7 });
    });

    it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("passes %s on to the command", async (signal) => {
      const wait = `process.on("${signal}", () => { console.log("got it"); process.exit(42); }); console.log("ready"); setInterval(() => 0, 1000)`;
      const child = app([process.execPath, "-e", wait]);
      let seen = "";
      child.stdout?.on("data", (chunk) => {
        seen += String(chunk);
      });
      await until("the command is ready", () => seen.includes("ready"));
      child.kill(signal);
      expect(await new Promise((done) => child.once("close", done))).toBe(42);
      expect(seen).toContain("got it");
    });

    it("ends by the signal that ended the command", async () => {
      const child = app(["sh", "-c", "kill -9 $$"]);
      expect(await new Promise((done) => child.once("close", (_code, signal) => done(signal)))).toBe("SIGKILL");
    });

    it("warns when a database of the project is stopped, as 'services url' does", async () => {
      const stopped = { ...SERVICE, desired: "stopped" };
      api.on("GET /external-services", () => [stopped]);
      api.on("GET /external-services/find", () => ({
        ...DETAILS,
        service: { ...DETAILS.service, desired: "stopped" },
      }));
      const child = app(["true"]);
      expect(await text(child.stderr)).toContain("howdah services start main");
      const url = await howdah.run(["services", "url", "main"]);
      expect(url).toMatchObject({ code: 0, stdout: `${DETAILS.service.connection_info}\n` });
      expect(url.stderr).toContain("howdah services start main");
    });

    it("says when there is no such command", async () => {
      const result = await howdah.run(["run", "-p", "shop", "app", "--", "no-such-command"]);
      expect(result.code).toBe(8);
      expect(result.stderr).toContain("'no-such-command' is not installed");
      expect((await howdah.run(["run", "-p", "shop", "app"])).code).toBe(2);
    });
  });

  describe("env", () => {
    it("writes each form, and leaves out with a warning what a shell cannot export", async () => {
      api.on("GET /projects/shop/environment/app", () => ({ A: "it's", "b.c": "1" }));
      const env = (...words: string[]) => howdah.run(["env", "app", "-p", "shop", ...words]);
      expect((await env()).stdout).toBe(`A="it's"\nb.c=1\n`);
      expect(JSON.parse((await env("--format", "json")).stdout)).toEqual({ A: "it's", "b.c": "1" });
      const shell = await env("--format", "shell");
      expect(shell.stdout).toBe(`export A='it'\\''s'\n`);
      expect(shell.stderr).toContain("'b.c'");
    });

    it("takes the folder's name for the project where there is no file", async () => {
      const folder = join(howdah.folder, "My.App");
      mkdirSync(folder, { recursive: true });
      api.on("GET /projects/myapp/environment/app", () => ({}));
      await howdah.ok(["env", "app"], { cwd: folder });
    });
  });

  describe("psql", () => {
    it("gets where and who through the environment; nothing secret is an argument", async () => {
      const bin = join(howdah.folder, "bin");
      mkdirSync(bin, { recursive: true });
      writeFileSync(
        join(bin, "psql"),
        `#!/bin/sh\necho "$@"\necho "$PGUSER $PGPASSWORD $PGHOST $PGPORT $PGDATABASE [$PGSERVICE$PGHOSTADDR]"\nexit 3\n`,
      );
      chmodSync(join(bin, "psql"), 0o755);
      const env = {
        PATH: `${bin}:/usr/bin:/bin`,
        PGSERVICE: "elsewhere",
        PGHOSTADDR: "192.0.2.1",
        PGPASSWORD: "other",
      };
      const result = await howdah.run(["psql", "main", "--", "-c", "select 1"], { env });
      expect(result).toEqual({ code: 3, stdout: "-c select 1\nanna s3cret 127.0.0.1 5432 shop []\n", stderr: "" });
      const byId = await howdah.run(["psql", "--id", "7", "--", "-l"], { env });
      expect(byId.stdout).toMatch(/^-l\n/);
    });

    it("says what to install where there is none, and that a stopped service must be started", async () => {
      const missing = await howdah.run(["psql", "main"], { env: { PATH: howdah.folder } });
      expect(missing.code).toBe(8);
      expect(missing.stderr).toContain("apt-get install postgresql-client");
      api.on("GET /external-services/find", () => ({ ...DETAILS, service: { ...SERVICE, desired: "stopped" } }));
      const stopped = await howdah.run(["psql", "main"]);
      expect(stopped.code).toBe(5);
      expect(stopped.stderr).toContain("howdah services start main");
    });
  });

  describe("services logs", () => {
    it("prints lines, or an array with --json", async () => {
      const lines = [
        { at: "2026-05-01T10:00:00.000Z", level: "LOG", message: "ready" },
        { at: null, level: null, message: "raw" },
      ];
      api.on("GET /external-services/7/logs", async function* () {
        yield* lines;
      });
      expect(await howdah.ok(["services", "logs", "main", "-n", "5"])).toBe(
        "2026-05-01T10:00:00.000Z LOG: ready\nraw\n",
      );
      expect(await howdah.json(["services", "logs", "main"])).toEqual(lines);
    });

    it("ends with 130 when interrupted while following", async () => {
      api.on("GET /external-services/7/logs", async function* () {
        yield { at: null, level: null, message: "first" };
        await new Promise(() => undefined);
      });
      const child = howdah.spawn(["services", "logs", "main", "-f"]);
      await new Promise((done) => child.stdout?.once("data", done));
      child.kill("SIGINT");
      expect(await new Promise((done) => child.once("close", done))).toBe(130);
    });
  });

  describe("the rest", () => {
    it("lists what can be brought back, and brings it back under another name", async () => {
      const removed = { id: 9, project: "shop", name: "old", major: 17, removed_at: "2026-05-01T10:00:00Z" };
      api.on("GET /trash", () => [{ ...removed, expires_at: "2026-05-08T10:00:00Z" }]);
      api.on("POST /trash/restore", () => SERVICE);
      expect(await howdah.ok(["services", "restore-removed"])).toMatch(/\n *9 +old +shop +17 /);
      await howdah.ok(["services", "restore-removed", "--id", "9", "--as", "new"]);
      expect(api.asked.find(({ method }) => method === "POST")?.body).toEqual({ service: "9", as: "new" });
    });

    it("revokes keys by number or by name, but guesses none", async () => {
      const key = (id: number, name: string) => ({ id, name, created_at: "2026-05-01T10:00:00Z", last_used_at: null });
      api.on("GET /keys", () => [key(1, "ci"), key(2, "twice"), key(3, "twice")]);
      api.on("DELETE /keys/\\d", () => null);
      await howdah.ok(["keys", "revoke", "ci"]);
      await howdah.ok(["keys", "revoke", "2"]);
      expect((await howdah.run(["keys", "revoke", "twice"])).code).toBe(2);
      expect((await howdah.run(["keys", "revoke", "none"])).code).toBe(4);
      expect(api.requests().filter((r) => r.startsWith("DELETE"))).toEqual(["DELETE /keys/1", "DELETE /keys/2"]);
    });

    it("prints a new key alone on stdout", async () => {
      const record = { id: 1, name: "ci", created_at: "2026-05-01T10:00:00Z", last_used_at: null };
      api.on("POST /keys", () => ({ key: "hwd_abc", record }));
      expect((await howdah.run(["keys", "create", "ci"])).stdout).toBe("hwd_abc\n");
      expect(await howdah.json(["keys", "create", "ci"])).toEqual({ ...record, key: "hwd_abc" });
    });

    it("follows the installation of an engine", async () => {
      const engine = { major: 17, version: "17.9", kind: "embedded", installed: true, services: 0, end_of_life: false };
      api.on("POST /engines/17", async function* () {
        yield { progress: "downloading" };
        yield { engine: { ...engine, path: "/x" } };
      });
      expect(await howdah.ok(["engines", "install", "17"])).toBe("PostgreSQL 17.9 (embedded) is installed.\n");
      expect((await howdah.run(["engines", "install", "x"])).code).toBe(2);
    });

    it("tells completion scripts the names, silently", async () => {
      expect(await howdah.run(["complete-names", "services"])).toEqual({ code: 0, stdout: "main\n", stderr: "" });
      expect(await howdah.run(["complete-names", "projects"])).toEqual({ code: 0, stdout: "", stderr: "" });
    });

    it("lists the clients of one service, of a project's, and of all", async () => {
      const client = {
        ...{ service: "main", service_id: 7, pid: 99, client: "127.0.0.1:50312", username: "anna", database: "shop" },
        ...{ application: "psql", tls: false, state: "connected", since: "2026-05-01T10:00:00.000Z" },
      };
      api.on("GET /external-services/7/connections", () => [client]);
      api.on("GET /connections", () => [client, { ...client, service: "other", service_id: 8, pid: 100 }]);
      expect(await howdah.ok(["services", "connections", "main"])).toMatch(
        /^PID .*\n 99 {2}127\.0\.0\.1:50312 {2}anna /,
      );
      expect(await howdah.json(["services", "connections", "main"])).toEqual([client]);
      expect(await howdah.json(["services", "connections", "--id", "7"])).toEqual([client]);
      expect(await howdah.ok(["services", "connections"])).toMatch(/^SERVICE +PID .*\nmain .*\nother .*\n$/);
      expect(await howdah.json(["services", "connections", "-p", "default"])).toEqual([client]);
    });

    it("tells of the gateway, and of the ones before it", async () => {
      const draining = [{ pid: 40, sessions: 1 }];
      const started_at = "2026-05-01T10:00:00.000Z";
      const status = {
        ...{ url: "http://127.0.0.1:1", version: "0.1.0", home: howdah.home, control: { pid: 1, started_at } },
        ...{ gateway: { pid: 41, version: "0.1.0", started_at, draining } },
        services: { total: 3, running: 1, sleeping: 2 },
      };
      api.on("GET /status", () => status);
      const shown = await howdah.ok(["server", "status"]);
      expect(shown).toMatch(/^Gateway +running, process 41, started .* ago, version 0\.1\.0$/m);
      expect(shown).toMatch(/^Draining +process 40 with 1 connection$/m);
      expect(shown).toMatch(/^Services +1 of 3 running, 2 sleeping$/m);
      const none = { pid: null, version: null, started_at: null, draining: [] };
      api.on("GET /status", () => ({ ...status, gateway: none }));
      expect(await howdah.ok(["server", "status"])).toMatch(/^Gateway +not there; it is being started$/m);
    });

    it("says loudly what other machines can reach, how to narrow it and how to go back", async () => {
      const open = { ...SERVICE, listen: "0.0.0.0", ssl_mode: "require", notices: ["it listens on 0.0.0.0"] };
      const become = (service: unknown) => {
        api.on("PUT /external-services/7", () => service);
        api.on("GET /external-services/7/wait", () => ({ done: true, service }));
      };
      become(open);
      const opened = await howdah.run(["services", "update", "main", "-s", "listen=*"]);
      expect(opened.code).toBe(0);
      expect(opened.stderr).toContain("warning: main: it listens on 0.0.0.0");
      expect(opened.stderr).toContain("'main' is open to other machines: 0.0.0.0:5432, every address of this machine.");
      expect(opened.stderr).toContain("asked of anybody who gets there");
      expect(opened.stderr).toContain("howdah services update main -s allow=10.0.0.0/8\n");
      expect(opened.stderr).toContain("howdah services update main -s listen=127.0.0.1\n");
      expect(api.asked.find(({ method }) => method === "PUT")?.body).toEqual({ parameters: { listen: "*" } });
      become({ ...open, allow: ["10.0.0.0/8"], origin: "compose" });
      const narrowed = await howdah.run(["services", "update", "main", "-s", "allow=10.0.0.0/8"]);
      expect(narrowed.stderr).toContain("asked of clients from 10.0.0.0/8");
      expect(narrowed.stderr).toContain("take 'listen' out of x-howdah");
      expect(narrowed.stderr).not.toContain("-s allow");
      // Not at each change of something else.
      expect((await howdah.run(["services", "update", "main", "-s", "set.jit=off"])).stderr).not.toContain("open to");
    });

    it("has doctor fail when a check does", async () => {
      const status = { url: "http://127.0.0.1:1", version: "0.1.0", home: howdah.home, control: {}, gateway: {} };
      api.on("GET /status", () => status);
      api.on("GET /doctor", () => [{ name: "disk", status: "error", message: "full", hint: "Free some." }]);
      const { code, stdout } = await howdah.run(["doctor"]);
      expect(code).toBe(8);
      expect(stdout).toMatch(/error +disk: full\n +Free some\./);
    });
  });
});

describe("without a server", () => {
  it("status, completion and doctor start none and make no folder", async () => {
    await using howdah = new Installation();
    const status = await howdah.run(["server", "status", "--json"]);
    expect(status.code).toBe(6);
    expect(JSON.parse(status.stdout).error).toMatchObject({ code: "SERVER_UNREACHABLE" });
    expect((await howdah.run(["doctor"])).stdout).toContain("server: ");
    expect(await howdah.ok(["complete-names", "services"])).toBe("");
    expect(await howdah.ok(["completion", "bash"])).toContain("complete -o default -F _howdah howdah");
    expect(await howdah.ok(["server", "stop"])).toContain("No server ran");
    expect(await howdah.ok(["server", "install", "--print"])).toContain(`HOWDAH_HOME=${howdah.home}`);
    expect(existsSync(howdah.home)).toBe(false);
  });

  it("loads neither validators, YAML, web framework nor database drivers to list services", async () => {
    await using howdah = new Installation();
    await using api = await FakeApi.listen(howdah.home);
    api.on("GET /external-services", () => []);
    const trace = join(howdah.folder, "loaded");
    const hook = join(howdah.folder, "hook.mjs");
    writeFileSync(
      hook,
      `import { register } from "node:module";
register("data:text/javascript," + encodeURIComponent(\`
import { appendFileSync } from "node:fs";
export async function load(url, context, next) { appendFileSync(${JSON.stringify(trace)}, url + "\\\\n"); return next(url, context); }
\`), import.meta.url);\n`,
    );
    await howdah.ok(["services", "list"], { env: { NODE_OPTIONS: `--import ${hook}` } });
    const loaded = readFileSync(trace, "utf8");
    expect(loaded).toContain("/cli/commands/services-list.js");
    expect(loaded).not.toMatch(/node_modules\/(zod|yaml|fastify|pino|pg|libsql|@clack)\//);
    expect(loaded).not.toContain("/manifests/");
  });
});
