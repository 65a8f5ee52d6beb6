import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HOWDAH, Installation, query, until } from "../support/installation.js";

/** Control processes and loops of an installation, by their command lines. */
function servers(howdah: Installation): { control: number[]; loops: number[] } {
  const all = howdah.processes();
  return {
    control: all
      .filter((p) => /howdah\.js server run $/.test(p.command) && !p.command.includes(" -c "))
      .map((p) => p.pid),
    loops: all.filter((p) => p.command.includes(`howdah-supervisor ${howdah.home} `)).map((p) => p.pid),
  };
}

describe("the server in the background", () => {
  it("is started by the first command, once, however many come at the same time", async () => {
    await using howdah = new Installation();
    const lists = await Promise.all(Array.from({ length: 5 }, () => howdah.json(["services", "list"])));
    expect(lists).toEqual([[], [], [], [], []]);
    const pid = await howdah.controlPid();
    // The loops of those that came too late see that a server runs already, and end.
    await until("one loop is left", () => servers(howdah).loops.length === 1);
    expect(servers(howdah).control).toEqual([pid]);
    expect(await howdah.json(["server", "start"])).toMatchObject({ started: false, control: { pid } });
  });

  it("is nobody's child, knows little of the shell that started it, and keeps its log to itself", async () => {
    await using howdah = new Installation();
    await howdah.run(["server", "start"], { env: { DATABASE_PASSWORD: "hunter2", HOWDAH_LOG_LEVEL: "debug" } });
    const pid = await howdah.controlPid();
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    expect(environment.join("\n")).not.toContain("hunter2");
    expect(environment).toContain("HOWDAH_LOG_LEVEL=debug");
    expect(environment).toContain(`HOWDAH_HOME=${howdah.home}`);
    expect(execFileSync("readlink", [`/proc/${pid}/cwd`], { encoding: "utf8" }).trim()).toBe("/");
    expect(statSync(join(howdah.home, "server.log")).mode & 0o777).toBe(0o600);
  });

  it("is back after kill -9, and commands wait for it", async () => {
    await using howdah = new Installation();
    await howdah.ok(["config", "set", "-p", "shop", "A=1"]);
    const first = await howdah.controlPid();
    process.kill(first, "SIGKILL");
    expect((await howdah.json(["config", "ls", "-p", "shop"])).configs).toMatchObject([{ name: "A" }]);
    const second = await howdah.controlPid();
    expect(second).not.toBe(first);
    expect(servers(howdah)).toEqual({ control: [second], loops: [expect.any(Number)] });
  });

  it("is started anew when its loop is dead as well", async () => {
    await using howdah = new Installation();
    await howdah.ok(["server", "start"]);
    const { control, loops } = servers(howdah);
    for (const pid of [...loops, ...control]) process.kill(pid, "SIGKILL");
    await howdah.ok(["services", "list"]);
    const again = servers(howdah);
    expect([again.control.length, again.loops.length]).toEqual([1, 1]);
    expect(again.control).not.toEqual(control);
  });

  it("ends with 'server stop', with its loop, whatever state they are in", async () => {
    await using howdah = new Installation();
    const stop = async () => {
      await howdah.ok(["server", "stop"]);
      expect(howdah.processesBesideGateway()).toEqual([]);
      expect((await howdah.run(["server", "status"])).code).toBe(6);
    };
    await howdah.ok(["server", "start"]);
    await stop();
    // A second time: there is nothing to do, and that is no error.
    await stop();
    // The loop is gone, control lives.
    await howdah.ok(["server", "start"]);
    for (const pid of servers(howdah).loops) process.kill(pid, "SIGKILL");
    await stop();
    // Control is gone, the loop is about to bring it back.
    await howdah.ok(["server", "start"]);
    for (const pid of servers(howdah).control) process.kill(pid, "SIGKILL");
    await stop();
    // Control is stuck: it answers nothing and hears no signal but the last.
    await howdah.ok(["server", "start"]);
    for (const pid of servers(howdah).control) process.kill(pid, "SIGSTOP");
    await stop();
  });

  it("leaves PostgreSQL servers alone at 'stop', finds them again, and ends them with --all", async () => {
    await using howdah = new Installation();
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "db", "-y"]);
    const url = await howdah.url("db");
    const { pid } = await howdah.json(["services", "show", "db"]);
    // From here on the gateway knows the role by itself.
    expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
    await howdah.ok(["server", "stop"]);
    expect(servers(howdah)).toEqual({ control: [], loops: [] });
    expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect((await howdah.json(["services", "show", "db"])).pid).toBe(pid);
    // Not running: it is started, because only it can stop them in order.
    await howdah.ok(["server", "stop"]);
    expect(await howdah.ok(["server", "stop", "--all"])).toContain("every PostgreSQL server");
    expect(howdah.processes()).toEqual([]);
  });

  it("ends the gateway with --all, whatever has become of control and of the gateway itself", async () => {
    await using howdah = new Installation();
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "db", "-y"]);
    const client = await howdah.connect("db");
    await howdah.ok(["server", "restart"]);
    expect(howdah.gateway()).toEqual({
      keepers: [expect.any(Number)],
      workers: [expect.any(Number), expect.any(Number)],
    });
    for (const pid of howdah.gateway().keepers) process.kill(pid, "SIGKILL");
    await howdah.ok(["server", "stop", "--all"]);
    expect(howdah.processes()).toEqual([]);
    await client.end().catch(() => undefined);

    await howdah.ok(["server", "start"]);
    await howdah.connect("db").then((again) => again.end());
    const { control, loops } = servers(howdah);
    for (const pid of [...loops, ...control]) process.kill(pid, "SIGKILL");
    expect(howdah.gateway().keepers.length).toBe(1);
    await howdah.ok(["server", "stop", "--all"]);
    expect(howdah.processes()).toEqual([]);
  });

  it("is restarted with its gateway, and no client notices", async () => {
    await using howdah = new Installation();
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "db", "-y"]);
    const url = await howdah.url("db");
    const client = await howdah.connect("db");
    const before = await howdah.json(["server", "status"]);
    const pidOf = async () => (await client.query("select pg_backend_pid() as pid")).rows[0].pid;
    const backend = await pidOf();
    const failures: unknown[] = [];
    let answers = 0;
    let goOn = true;
    const stream = (async () => {
      while (goOn) {
        await query(url, "select 1").then(
          () => answers++,
          (error: unknown) => failures.push(error),
        );
      }
    })();
    const restarted = await howdah.json(["server", "restart"]);
    const seen = answers;
    await until("more is answered", () => answers > seen + 3 || failures.length > 0);
    goOn = false;
    await stream;
    expect(failures).toEqual([]);
    expect(await pidOf()).toBe(backend);
    expect(restarted).toMatchObject({ restarted: true, home: howdah.home });
    const after = await howdah.json(["server", "status"]);
    expect(after.control.pid).toBe(restarted.pid);
    expect(after.control.pid).not.toBe(before.control.pid);
    expect(after.gateway.pid).toBe(restarted.gateway.pid);
    expect(after.gateway.pid).not.toBe(before.gateway.pid);
    // Counts are told at most every 100 ms.
    const draining = async () => (await howdah.json(["server", "status"])).gateway.draining;
    await until("only the open connection is left to the old one", async () => (await draining())[0]?.sessions === 1);
    expect(await draining()).toMatchObject([{ pid: before.gateway.pid, sessions: 1 }]);
    // A request to cancel comes in at the new one, and its session is the old one's.
    const sleeping = expect(client.query("select pg_sleep(60)")).rejects.toThrow(
      "canceling statement due to user request",
    );
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const request = Buffer.alloc(16);
    for (const [i, word] of [16, 80_877_102, processID, secretKey].entries()) request.writeInt32BE(word, i * 4);
    connect(Number(new URL(url).port), "127.0.0.1").end(request);
    await sleeping;
    await client.end();
    await until("the old one is gone", () => howdah.gateway().workers.length === 1);
  });

  it("says why it does not start, and leaves no loop behind", async () => {
    const blocker = createServer();
    await new Promise<void>((done) => blocker.listen(0, "127.0.0.1", done));
    const address = blocker.address();
    const port = address !== null && typeof address === "object" ? String(address.port) : "";
    await using howdah = new Installation({ env: { HOWDAH_API_PORT: port } });
    // Those who come later wait for the first one's loop, and must not wait for ever when it is refused.
    const results = await Promise.all(Array.from({ length: 3 }, () => howdah.run(["services", "list"])));
    blocker.close();
    for (const { code, stderr } of results) {
      expect(code).toBe(6);
      expect(stderr).toContain("the server did not start; its log says:");
      expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken (SERVER_PORT_TAKEN)`);
    }
    expect(howdah.processes()).toEqual([]);
  });

  it("refuses a home that is none before it makes anything", async () => {
    await using howdah = new Installation();
    writeFileSync(howdah.home, "a file");
    const { code, stderr } = await howdah.run(["services", "list"]);
    expect(code).toBe(8);
    expect(stderr).toContain("HOME_UNUSABLE");
    expect(howdah.processes()).toEqual([]);
  });

  it("runs in the foreground, refuses a second one, and ends with 0 by SIGTERM", async () => {
    await using howdah = new Installation();
    const foreground = howdah.spawn(["server", "run"]);
    foreground.stderr?.resume();
    const ended = new Promise((done) => foreground.once("close", done));
    await until("it answers", async () => (await howdah.run(["server", "status"])).code === 0);
    const second = await howdah.run(["server", "run"]);
    expect(second.code).toBe(5);
    expect(second.stderr).toContain("SERVER_RUNNING");
    expect(servers(howdah).loops).toEqual([]);
    foreground.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it("lets services run although the shell's umask closes everything", async () => {
    await using howdah = new Installation();
    const script = `umask 077; exec "$1" "$2" services create -n db --json`;
    const text = execFileSync("sh", ["-c", script, "sh", process.execPath, HOWDAH], {
      encoding: "utf8",
      env: howdah.env,
    });
    expect(JSON.parse(text)).toMatchObject({ status: "running" });
  });

  it("of one home never touches that of another", async () => {
    await using one = new Installation();
    await using two = new Installation();
    await Promise.all([one.ok(["server", "start"]), two.ok(["server", "start"])]);
    await one.ok(["config", "set", "-p", "shop", "A=1"]);
    expect((await two.json(["config", "ls", "-p", "shop"])).configs).toEqual([]);
    const pid = await two.controlPid();
    await one.ok(["server", "stop", "--all"]);
    expect(await two.controlPid()).toBe(pid);
    expect(servers(two).loops).toHaveLength(1);
  });

  it("works from a home deep in the file system, and from a folder that is gone", async () => {
    await using howdah = new Installation();
    const deep = join(howdah.folder, "d".repeat(60), "e".repeat(60));
    mkdirSync(deep, { recursive: true });
    await using far = new Installation({ home: join(deep, "home") });
    expect(await far.json(["services", "list"])).toEqual([]);
    const script = `cd "$1" && rmdir "$1" && exec "$2" "$3" services list --json`;
    const gone = join(howdah.folder, "gone");
    mkdirSync(gone);
    const text = execFileSync("sh", ["-c", script, "sh", gone, process.execPath, HOWDAH], {
      encoding: "utf8",
      env: howdah.env,
    });
    expect(JSON.parse(text)).toEqual([]);
  });
});
