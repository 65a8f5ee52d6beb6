import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signalProcess } from "./processes.js";
import { spawnDetached } from "./spawn-detached.js";
import type { ProcessIdentity } from "./types.js";
import { waitForExit } from "./wait-for-exit.js";
import { watchExit } from "./watch-exit.js";

let folder: string;
const started: ProcessIdentity[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-spawn-"));
  chmodSync(folder, 0o711);
});
afterEach(() => {
  for (const identity of started.splice(0)) signalProcess(identity, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

async function run(script: string, o: { uid?: number } = {}): Promise<ProcessIdentity> {
  const identity = await spawnDetached({
    command: "/bin/sh",
    args: ["-c", script],
    cwd: "/",
    uid: o.uid ?? null,
    gid: o.uid ?? null,
    env: { PATH: "/usr/bin:/bin", ONLY: "this" },
    stdoutPath: join(folder, "out"),
    stderrPath: join(folder, "err"),
  });
  started.push(identity);
  return identity;
}

async function output(script: string, o: { uid?: number } = {}): Promise<string> {
  await waitForExit(await run(script, o), 10_000);
  return readFileSync(join(folder, "out"), "utf8");
}

describe("spawnDetached", () => {
  it("starts in a session and process group of its own", async () => {
    const identity = await run("ps -o sid=,pgid= -p $$; exec sleep 300");
    await expect.poll(() => readFileSync(join(folder, "out"), "utf8")).toMatch(/\d+\s+\d+\n/);
    const [session, group] = readFileSync(join(folder, "out"), "utf8").trim().split(/\s+/).map(Number);
    expect([session, group]).toEqual([identity.pid, identity.pid]);
  });

  it("gives the environment that it was told and nothing else", async () => {
    expect(
      (await output("env"))
        .split("\n")
        .filter((l) => !/^(PWD|SHLVL|_)=|^$/.test(l))
        .sort(),
    ).toEqual(["ONLY=this", "PATH=/usr/bin:/bin"]);
  });

  it("writes its output to nothing but a plain file of one name", async () => {
    writeFileSync(join(folder, "kept"), "kept");
    linkSync(join(folder, "kept"), join(folder, "err"));
    await expect(run("echo x >&2")).rejects.toMatchObject({ code: "HOME_UNUSABLE" });
    expect(readFileSync(join(folder, "kept"), "utf8")).toBe("kept");
    rmSync(join(folder, "err"));
    // Opened for writing, a pipe without a reader would keep us waiting for ever.
    execFileSync("mkfifo", [join(folder, "err")]);
    await expect(run("echo x >&2")).rejects.toThrow();
  });

  it("hands down no open files", async ({ skip }) => {
    skip(process.platform !== "linux", "needs /proc");
    // Whatever the test runner itself inherited shows as a log file of ours.
    const links = (await output("ls -l /proc/self/fd")).split("\n").flatMap((line) => line.split(" -> ").slice(1));
    const foreign = links.filter((to) => to !== "/dev/null" && !to.startsWith(folder) && !/^\/proc\/\d+\/fd$/.test(to));
    expect(links.length).toBeGreaterThan(3);
    expect(foreign).toEqual([]);
  });

  it("writes into files that only we can read, at their ends", async () => {
    await output("echo first; echo bad >&2");
    expect(await output("echo second")).toBe("first\nsecond\n");
    expect(readFileSync(join(folder, "err"), "utf8")).toBe("bad\n");
    expect(statSync(join(folder, "out")).mode & 0o777).toBe(0o600);
  });

  it("runs as another user, without any of root's groups", async ({ skip }) => {
    skip(process.getuid?.() !== 0, "only root can change users");
    expect(await output("id -u; id -G", { uid: 70_123 })).toBe("70123\n70123\n");
  });

  it("says why a program could not be started", async () => {
    const command = join(folder, "missing");
    const options = {
      args: [],
      cwd: "/",
      uid: null,
      gid: null,
      env: {},
      stdoutPath: `${folder}/o`,
      stderrPath: `${folder}/o`,
    };
    await expect(spawnDetached({ command, ...options })).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("watchExit", () => {
  const ended = (identity: ProcessIdentity) => new Promise<void>((resolve) => watchExit(identity, resolve));

  it("tells when a child ends", async () => {
    const identity = await run("exec sleep 300");
    const exit = ended(identity);
    signalProcess(identity, "SIGKILL");
    await exit;
  });

  it("tells when a process ends that was never our child", async () => {
    await run("setsid sleep 300 >/dev/null 2>&1 & echo $!");
    await expect.poll(() => readFileSync(join(folder, "out"), "utf8")).toMatch(/\d+\n/);
    const { readProcess } = await import("./processes.js");
    const info = readProcess(Number(readFileSync(join(folder, "out"), "utf8")));
    if (info === null) throw new Error("the sleeper is gone");
    started.push(info);
    const exit = ended(info);
    signalProcess(info, "SIGKILL");
    await exit;
  });

  it("tells at once, but not within the call, about a process that is gone", async () => {
    let called = false;
    const exit = new Promise<void>((resolve) =>
      watchExit({ pid: 2 ** 22, startTime: "1" }, () => {
        called = true;
        resolve();
      }),
    );
    expect(called).toBe(false);
    await exit;
  });

  it("tells nothing after it was cancelled, and other watches of the same process everything", async () => {
    const identity = await run("exec sleep 300");
    const cancelled: string[] = [];
    const cancel = watchExit(identity, () => cancelled.push("called"));
    const exit = ended(identity);
    cancel();
    cancel();
    signalProcess(identity, "SIGKILL");
    await exit;
    expect(cancelled).toEqual([]);
  });

  it("does not take a later process of the same number for the one it watches", async () => {
    const identity = await run("exec sleep 300");
    await ended({ pid: identity.pid, startTime: "1" });
  });
});
