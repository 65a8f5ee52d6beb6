import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { parseStat } from "./linux-table.js";
import { isAlive, listProcesses, processesNamed, readProcess, signalProcess } from "./processes.js";
import { parsePsLine } from "./ps-table.js";
import { waitForExit } from "./wait-for-exit.js";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function sleeper(): Promise<number> {
  const child = spawn("sleep", ["300"], { cwd: tmpdir(), stdio: "ignore" });
  children.push(child);
  await once(child, "spawn");
  return child.pid ?? -1;
}

function identityOf(pid: number) {
  const info = readProcess(pid);
  if (info === null) throw new Error(`no process ${pid}`);
  return { pid, startTime: info.startTime };
}

describe("processes", () => {
  it("reads parent, user, folder and name of a process", async () => {
    const pid = await sleeper();
    expect(readProcess(pid)).toMatchObject({
      pid,
      ppid: process.pid,
      uid: process.getuid?.(),
      cwd: realpathSync(tmpdir()),
      name: "sleep",
    });
    expect(listProcesses().map((p) => p.pid)).toContain(pid);
    expect(processesNamed("sleep").map((p) => p.pid)).toContain(pid);
  });

  it("knows no process of a number that is none", () => {
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 30]) expect(readProcess(pid)).toBeNull();
  });

  it("takes a number with another start time for another process, and does not signal it", async () => {
    const pid = await sleeper();
    const earlier = { pid, startTime: "1" };
    expect(isAlive(earlier)).toBe(false);
    expect(signalProcess(earlier, "SIGKILL")).toBe(false);
    expect(isAlive(identityOf(pid))).toBe(true);
  });

  it("waits for the end, and says when it waited in vain", async () => {
    const identity = identityOf(await sleeper());
    expect(await waitForExit(identity, 5)).toBe(false);
    expect(signalProcess(identity, "SIGTERM")).toBe(true);
    expect(await waitForExit(identity, 10_000)).toBe(true);
    expect(signalProcess(identity, "SIGTERM")).toBe(false);
  });

  it("takes a zombie for gone", async ({ skip }) => {
    skip(process.platform !== "linux", "needs /proc");
    // The shell becomes a sleep, which never asks about the child that it inherited.
    const parent = spawn("sh", ["-c", "sleep 0.01 & echo $!; exec sleep 300"], { stdio: ["ignore", "pipe", "ignore"] });
    children.push(parent);
    const [line] = await once(parent.stdout, "data");
    const pid = Number(line);
    await waitForExit({ pid, startTime: readProcess(pid)?.startTime ?? "ended" }, 10_000);
    expect(readProcess(pid)).toBeNull();
  });
});

describe("parseStat", () => {
  it("is not deceived by a name with parentheses and spaces", () => {
    const numbers = Array.from({ length: 18 }, (_, i) => i).join(" ");
    expect(parseStat(`7 (a) S 1 (b)) R 3 4 ${numbers} 999 0\n`)).toEqual({
      name: "a) S 1 (b)",
      state: "R",
      ppid: 3,
      group: 4,
      startTime: "16",
    });
  });

  it("knows nothing of what is not a stat line", () => {
    for (const text of ["", "7 (x", "7 x S 1", "7 (x) S 1 2"]) expect(parseStat(text)).toBeNull();
  });
});

describe("parsePsLine", () => {
  it("reads what ps prints on macOS and Linux", () => {
    const line = "  501     1   501  502 Ss   Fri Nov 20 10:37:07 2026     /opt/pg bin/postgres";
    expect(parsePsLine(line)).toEqual({
      pid: 501,
      ppid: 1,
      group: 501,
      uid: 502,
      startTime: "Fri Nov 20 10:37:07 2026",
      name: "postgres",
    });
  });

  it("passes over zombies and headings", () => {
    expect(parsePsLine("1 2 3 4 Z Fri Nov 20 10:37:07 2026 <defunct>")).toBeNull();
    expect(parsePsLine("PID PPID")).toBeNull();
  });
});
