import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRoot, silent, TestHome } from "../../../test/support/server.js";
import {
  isAlive,
  processesNamed,
  processesOf,
  readProcess,
  signalProcess,
  waitForExit,
} from "../../runtime/process/index.js";
import type { ServerSpec } from "../types.js";
import {
  connectAdmin,
  endProcessesOf,
  endStrayServers,
  endSurvivors,
  observeServer,
  readPostmasterPid,
  reloadServer,
  startServer,
  stopServer,
} from "./index.js";
import { findSurvivors } from "./observe-server.js";

const o = { log: silent };
const fast = { mode: "fast", timeoutMs: 30_000, log: silent } as const;

let home: TestHome;
let spec: ServerSpec;
beforeAll(async () => {
  home = await TestHome.make();
  spec = await home.server({ fsync: "off" });
});
afterAll(() => home[Symbol.asyncDispose]());

async function asAdmin<T>(work: (client: pg.Client) => Promise<T>, server = spec): Promise<T> {
  const client = await connectAdmin(server);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function show(name: string, server = spec): Promise<string> {
  return asAdmin(async (client) => (await client.query("SELECT current_setting($1) AS v", [name])).rows[0].v, server);
}

/** A backend that runs in a circle and asks nobody whether its postmaster lives. */
async function busyBackend(): Promise<number> {
  const client = await connectAdmin(spec);
  const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
  client.query("DO $$ BEGIN LOOP END LOOP; END $$").catch(() => undefined);
  return rows[0].pid;
}

describe("starting and stopping", () => {
  it("starts, is seen ready, is taken over as it is, and stops without a trace", async () => {
    expect(await observeServer(spec)).toEqual({ kind: "down", survivors: [] });
    const first = await startServer(spec, o);
    expect(first.refused).toEqual([]);
    expect(await observeServer(spec)).toEqual({ kind: "ready", postmaster: first.postmaster });
    expect(await startServer(spec, o)).toMatchObject({ postmaster: first.postmaster, refused: [] });
    expect(readPostmasterPid(spec.paths)).toBe(first.postmaster.pid);
    expect(await asAdmin(async (c) => (await c.query("SELECT current_user AS u")).rows)).toEqual([
      { u: "howdah_admin" },
    ]);

    await stopServer(spec, fast);
    await stopServer(spec, fast);
    expect(isAlive(first.postmaster)).toBe(false);
    expect(await observeServer(spec)).toEqual({ kind: "down", survivors: [] });
    expect(readdirSync(spec.paths.socket)).toEqual([]);
  });

  it("runs under its own user, in folders that nobody else may enter", async () => {
    const { postmaster } = await startServer(spec, o);
    expect(readProcess(postmaster.pid)?.uid).toBe(spec.uid ?? process.getuid?.());
    const socket = lstatSync(join(spec.paths.socket, ".s.PGSQL.5432"));
    expect(socket.mode & 0o777).toBe(0o770);
    if (spec.uid !== null) expect(socket.gid).toBe(spec.uid);
    for (const name of readdirSync(spec.paths.log)) {
      expect(statSync(join(spec.paths.log, name)).mode & 0o777).toBe(0o600);
    }
  });

  it("has no address but its socket", async () => {
    const { postmaster } = await startServer(spec, o);
    expect(await show("listen_addresses")).toBe("");
    expect(await show("ssl")).toBe("off");
    expect(readFileSync(join(spec.paths.data, "postmaster.pid"), "utf8").split("\n").slice(3, 6)).toEqual([
      "5432",
      spec.paths.socket,
      "",
    ]);
    expect(isAlive(postmaster)).toBe(true);
  });

  it("takes over a server that is still starting", async () => {
    await stopServer(spec, fast);
    const [a, b] = await Promise.all([startServer(spec, o), delay(3).then(() => untilAdopted())]);
    expect(b.postmaster).toEqual(a.postmaster);

    async function untilAdopted() {
      while (readPostmasterPid(spec.paths) === null) await delay(1);
      return startServer(spec, o);
    }
  });

  it("waits for a stop under way and starts again", async () => {
    const { postmaster } = await startServer(spec, o);
    const client = await connectAdmin(spec);
    signalProcess(postmaster, "SIGTERM");
    // A smart shutdown waits for the session.
    await expect.poll(async () => (await observeServer(spec)).kind).toBe("stopping");
    const again = startServer(spec, o);
    await client.end();
    expect((await again).postmaster).not.toEqual(postmaster);
  });

  it("makes a fast stop that takes too long an immediate one", async () => {
    const { postmaster } = await startServer(spec, o);
    const pid = await busyBackend();
    const backend = readProcess(pid);
    // Stopped by a signal, the backend heeds none but the last.
    process.kill(pid, "SIGSTOP");
    const warnings: unknown[] = [];
    const log = Object.assign(Object.create(silent), { warn: (fields: unknown) => warnings.push(fields) });
    await stopServer(spec, { mode: "fast", timeoutMs: 50, log });
    expect(warnings[0]).toMatchObject({ signal: "SIGQUIT" });
    expect(isAlive(postmaster)).toBe(false);
    expect(backend !== null && isAlive(backend)).toBe(false);
  });

  it("leaves no process behind when the start is given up", async () => {
    await stopServer(spec, { ...fast, mode: "immediate" });
    const abort = new AbortController();
    const start = startServer(spec, { ...o, signal: abort.signal });
    setTimeout(() => abort.abort(new Error("enough")), 4);
    await start.then(
      // It was quicker than we: then it runs, and is known.
      () => stopServer(spec, fast),
      (error) => expect(error).toMatchObject({ message: "enough" }),
    );
    expect(await observeServer(spec)).toEqual({ kind: "down", survivors: [] });
    await expect(startServer(spec, { ...o, signal: AbortSignal.abort(new Error("never")) })).rejects.toThrow("never");
  });

  it("knows a folder without a cluster from one with", async () => {
    const paths = home.layout.service(4711);
    expect(await observeServer({ paths, uid: spec.uid })).toEqual({ kind: "absent" });
    await expect(startServer({ ...spec, paths }, o)).rejects.toMatchObject({ code: "POSTGRES_START_FAILED" });
  });
});

describe("after a crash", () => {
  beforeEach(async () => {
    await startServer(spec, o);
  });

  it("ends what survived a killed postmaster, busy backends too, and loses nothing that was acknowledged", async () => {
    await asAdmin((c) => c.query("CREATE TABLE IF NOT EXISTS kept (n int)"));
    await asAdmin((c) => c.query("INSERT INTO kept VALUES (42)"));
    const backend = readProcess(await busyBackend());
    const { postmaster } = await startServer(spec, o);
    process.kill(postmaster.pid, "SIGKILL");
    await waitForExit(postmaster, 10_000);
    const seen = await observeServer(spec);
    expect(seen).toMatchObject({ kind: "down" });
    expect(seen.kind === "down" && seen.survivors.map((s) => s.pid)).toContain(backend?.pid);
    const again = await startServer(spec, o);
    expect(again.postmaster).not.toEqual(postmaster);
    expect(backend !== null && isAlive(backend)).toBe(false);
    expect(await asAdmin(async (c) => (await c.query("SELECT n FROM kept")).rows)).toContainEqual({ n: 42 });
  });

  it("does not take the children of a living postmaster for survivors", async () => {
    const pid = await busyBackend();
    expect(await endSurvivors(spec, silent)).toBe(0);
    expect(readProcess(pid)).not.toBeNull();
    await stopServer(spec, fast);
  });

  it("does not take another service's processes for its own, whatever its superuser makes of its folder", async () => {
    const { postmaster } = await startServer(spec, o);
    const other = await home.server({ fsync: "off" });
    renameSync(other.paths.data, `${other.paths.data}-aside`);
    symlinkSync(spec.paths.data, other.paths.data);
    expect(findSurvivors(other, null)).toEqual([]);
    await expect(endSurvivors(other, silent)).rejects.toThrow("is not a folder");
    rmSync(other.paths.data);
    renameSync(`${other.paths.data}-aside`, other.paths.data);
    expect(isAlive(postmaster)).toBe(true);
  });

  it("does not take over a stranger that got the number in postmaster.pid, nor harm it", async () => {
    const { postmaster } = await startServer(spec, o);
    process.kill(postmaster.pid, "SIGKILL");
    await waitForExit(postmaster, 10_000);
    await endSurvivors(spec, silent);
    // Of the same user, so PostgreSQL itself would believe in it.
    const stranger = spawn("sleep", ["300"], {
      stdio: "ignore",
      cwd: "/",
      ...(spec.uid === null ? {} : { uid: spec.uid, gid: spec.uid }),
    });
    await once(stranger, "spawn");
    try {
      for (const path of [join(spec.paths.data, "postmaster.pid"), join(spec.paths.socket, ".s.PGSQL.5432.lock")]) {
        if (existsSync(path)) writeFileSync(path, readFileSync(path, "utf8").replace(/^\d+/, String(stranger.pid)));
      }
      expect(await observeServer(spec)).toEqual({ kind: "down", survivors: [] });
      if (isRoot) {
        // The service's user is the service's alone: whatever runs under it goes with it.
        const again = await startServer(spec, o);
        expect(again.postmaster.pid).not.toBe(stranger.pid);
      } else {
        await startServer(spec, o);
        expect(readProcess(stranger.pid ?? -1)).not.toBeNull();
      }
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  it("ends commands that a superuser left running under the service's user", async ({ skip }) => {
    skip(!isRoot, "an ordinary user's services share that user with everything else");
    await asAdmin((c) => c.query("COPY (SELECT 1) TO PROGRAM 'setsid sleep 4711 >/dev/null 2>&1 </dev/null &'"));
    const left = () => processesNamed("sleep").filter((p) => p.uid === spec.uid);
    await expect.poll(() => left().length).toBe(1);
    await stopServer(spec, fast);
    expect(left()).toEqual([]);
  });

  it("ends whatever a removed service's user runs, hidden or never the same twice", async ({ skip }) => {
    skip(!isRoot, "only root starts programs of another user");
    const other = await home.server();
    const uid = other.uid ?? -1;
    // The folder in /proc of a program that its user may not read belongs to root.
    const hidden = join(home.layout.home, "hidden");
    copyFileSync("/bin/sleep", hidden);
    chmodSync(hidden, 0o111);
    const started = [spawn(hidden, ["4711"], { uid, gid: uid, stdio: "ignore" })];
    // In the user's group only, as a program of the account that heals would be.
    started.push(spawn("/bin/sleep", ["4711"], { uid: 65_534, gid: uid, stdio: "ignore" }));
    // Each of its processes starts another and ends, so that none is found where it was seen.
    const hopper = "for (;;) { exit if fork }";
    started.push(spawn("perl", ["-e", hopper], { uid, gid: uid, stdio: "ignore", detached: true }));
    await Promise.all(started.map((child) => once(child, "spawn")));
    await endProcessesOf(uid, silent);
    for (let look = 0; look < 20; look++) expect(processesOf(uid)).toEqual([]);
  });

  it("takes the data back when a crash left it with another user", async ({ skip }) => {
    skip(!isRoot, "only root gives files away");
    await stopServer(spec, fast);
    for (const name of ["PG_VERSION", "global/pg_control", "."]) chownSync(join(spec.paths.data, name), 65_534, 65_534);
    await startServer(spec, o);
    expect(statSync(join(spec.paths.data, "global/pg_control")).uid).toBe(spec.uid);
  });

  it("ends servers of services that nobody knows, and no others", async () => {
    const other = await home.server();
    await startServer(other, o);
    expect(await endStrayServers({ layout: home.layout, known: new Set([spec.id, other.id]), log: silent })).toBe(0);
    expect(await endStrayServers({ layout: home.layout, known: new Set([spec.id]), log: silent })).toBeGreaterThan(0);
    expect(await observeServer(other)).toMatchObject({ kind: "down", survivors: [] });
    expect(await observeServer(spec)).toMatchObject({ kind: "ready" });
  });
});

describe("a start that fails", () => {
  it("says that the socket cannot be made, and why", async () => {
    await stopServer(spec, fast);
    // Neither PostgreSQL nor we remove a folder.
    const inTheWay = join(spec.paths.socket, ".s.PGSQL.5432.lock");
    const changed = { ...spec, settings: { ...spec.settings, work_mem: "9MB" } };
    mkdirSync(inTheWay, { mode: 0o700 });
    try {
      await expect(startServer(changed, o)).rejects.toMatchObject({
        code: "HOME_UNUSABLE",
        message: `'${inTheWay}' is in the way and cannot be removed`,
      });
      expect(await observeServer(spec)).toEqual({ kind: "down", survivors: [] });
    } finally {
      rmdirSync(inTheWay);
    }
  });

  it("refuses data of another major", async () => {
    const older = { ...spec, distribution: { ...spec.distribution, major: 17 as const } };
    await expect(startServer(older, o)).rejects.toMatchObject({ code: "VERSION_CHANGE_REFUSED" });
  });

  it("says which program cannot be run", async () => {
    const gone = { ...spec, distribution: { ...spec.distribution, binDir: "/nonexistent" } };
    await expect(startServer(gone, o)).rejects.toMatchObject({ code: "ENGINE_CORRUPT" });
  });

  it("gives PostgreSQL's own words when it would never start", async () => {
    const path = join(spec.paths.data, "global", "pg_control");
    const control = readFileSync(path);
    writeFileSync(path, Buffer.alloc(control.length));
    try {
      await expect(startServer(spec, o)).rejects.toMatchObject({
        code: "POSTGRES_START_FAILED",
        message: expect.stringMatching(
          /^server 'test\/server-1' did not start: database files are incompatible with server\nDETAIL: {2}The database/,
        ),
      });
    } finally {
      writeFileSync(path, control);
    }
    await startServer(spec, o);
  });
});

describe("reloading", () => {
  it("puts changed settings into force without a restart", async () => {
    const { postmaster } = await startServer(spec, o);
    await reloadServer({ ...spec, settings: { ...spec.settings, work_mem: "7MB", "my.text": "it's \\ \n new" } });
    await expect.poll(() => show("work_mem")).toBe("7MB");
    expect(await show("my.text")).toBe("it's \\ \n new");
    expect((await startServer(spec, o)).postmaster).toEqual(postmaster);
  });

  it("leaves the old file when the server would not take the new one", async () => {
    await startServer(spec, o);
    const conf = join(spec.paths.data, "postgresql.conf");
    const before = readFileSync(conf, "utf8");
    const bad = { ...spec, settings: { ...spec.settings, timezone: "Mars/Olympus" } };
    await expect(reloadServer(bad)).rejects.toMatchObject({ code: "SETTING_INVALID" });
    expect(readFileSync(conf, "utf8")).toBe(before);
  });
});
