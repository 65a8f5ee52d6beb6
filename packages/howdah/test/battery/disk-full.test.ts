/**
 * The disk below the home becomes full at every kind of moment: whoever asks for something then is told DISK_FULL, and
 * once there is space again everything comes back by itself with every acknowledged row.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { expectConverged } from "../support/converged.js";
import { connectTo, Installation, listProcesses, query, text, until } from "../support/installation.js";
import { Seeded } from "../support/seed.js";

const random = new Seeded("disk full");
const CREATE = ["services", "create", "-t", "postgres", "-n", "db", "-y"];
const DISK_FULL_EXIT = 8;

/** An installation on a disk of its own. */
class SmallDisk implements AsyncDisposable {
  readonly #outside = new Installation();
  readonly disk = join(this.#outside.folder, "disk");
  readonly howdah: Installation;

  constructor(size: string) {
    mkdirSync(this.disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=711`, "tmpfs", this.disk], { stdio: "ignore" });
    this.howdah = new Installation({ home: join(this.disk, "home") });
  }

  free(): number {
    const { bavail, bsize } = statfsSync(this.disk);
    return bavail * bsize;
  }

  /** Takes away everything but so many bytes, also from somebody who takes some of it at the same time. */
  fill(leave = 0): void {
    for (let n = 0; n < 200 && this.free() > leave; n++) {
      const rest = this.free() - leave;
      const length = Math.max(4_096, n % 2 === 0 ? rest : rest >> 1);
      try {
        const path = join(this.disk, `ballast-${process.hrtime.bigint()}`);
        execFileSync("fallocate", ["-l", String(length), path], { stdio: "ignore" });
      } catch {
        // It was gone in between: then less of it.
      }
    }
  }

  empty(): void {
    for (const name of readdirSync(this.disk)) if (name.startsWith("ballast-")) rmSync(join(this.disk, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.empty();
    try {
      await this.howdah[Symbol.asyncDispose]();
    } finally {
      execFileSync("umount", ["-l", this.disk]);
      await this.#outside[Symbol.asyncDispose]();
    }
  }
}

async function canMount(): Promise<boolean> {
  try {
    await using _disk = new SmallDisk("1m");
    return true;
  } catch {
    return false;
  }
}
const able = process.getuid?.() === 0 && (await canMount());
if (!able) console.warn("SKIPPED: disk-full: mounting a small disk needs root and a machine that lets it");

describe.skipIf(!able)("a full disk", () => {
  it("is told beforehand, and nothing is made", async () => {
    await using small = new SmallDisk("100m");
    const { code, stderr } = await small.howdah.run(CREATE);
    expect({ code, stderr }).toMatchObject({ code: DISK_FULL_EXIT, stderr: expect.stringContaining("(DISK_FULL)") });
    expect(await expectConverged(small.howdah)).toEqual([]);
  });

  it("at a random moment of a first creation is told, and the next one works", async () => {
    for (let n = 0; n < 10; n++) {
      await using small = new SmallDisk("400m");
      const { howdah } = small;
      await howdah.ok(["server", "start"]);
      const child = howdah.spawn(CREATE);
      child.stdin?.end();
      const output = Promise.all([text(child.stdout), text(child.stderr)]);
      const ended = new Promise<number | null>((done) => child.once("close", done));
      const afterMs = random.between(100, 2_200);
      await delay(afterMs);
      small.fill();
      const code = await ended;
      const [, stderr] = await output;
      console.log(`full after ${Math.round(afterMs)} ms: ${code} ${stderr.split("\n")[0]}`);
      if (code !== 0) expect(stderr).toContain("(DISK_FULL)");
      small.empty();
      if (code === 0) {
        expect(await expectConverged(howdah)).toHaveLength(1);
        continue;
      }
      await until("what failed was taken away", async () => (await howdah.json(["services", "list"])).length === 0);
      await expectConverged(howdah);
      await howdah.ok(CREATE);
      expect(await expectConverged(howdah)).toHaveLength(1);
    }
  });

  it("under a busy service costs no acknowledged row, and everything comes back by itself", async () => {
    await using small = new SmallDisk("400m");
    const { howdah } = small;
    await howdah.ok(CREATE);
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "other", "-y"]);
    const url = await howdah.url("db");
    const other = await howdah.url("other");
    await query(url, "create table entries (n int primary key, filler text)");
    let next = 0;
    for (const killed of [false, true, false]) {
      small.fill(Math.round(random.between(1_000_000, 30_000_000)));
      const acknowledged = await writeUntilItFails(url, next);
      expect(acknowledged).toBeGreaterThan(next);
      console.log(`${acknowledged - next} rows until the disk was full; free: ${small.free()}`);
      next = acknowledged;
      small.fill();
      await delay(1_000);
      if (killed) await killControl(howdah);
      // Reading needs no space, and what does is told.
      for (const args of [
        ["services", "create", "-t", "postgres", "-n", "third"],
        ["services", "restart", "other"],
        ["config", "set", "-p", "x", "NAME=value"],
      ]) {
        const { code, stderr } = await howdah.run(args);
        console.log(`'${args.join(" ")}' on a full disk: ${code} ${stderr.split("\n")[0]}`);
        if (code !== 0) expect({ args, stderr }).toMatchObject({ stderr: expect.stringContaining("DISK_FULL") });
      }
      small.empty();
      for (const each of [url, other]) {
        await until("it is back by itself", () => query(each, "select 1").catch(() => undefined), 90_000);
      }
      const rows = await query(url, "select n from entries where n < $1 order by n", [next]);
      expect(rows.length).toBe(next);
      await query(url, "delete from entries where n >= $1", [next]);
      await query(url, "checkpoint");
    }
    expect(await expectConverged(howdah)).toHaveLength(2);
  });

  it("under control alone is survived, and told", async () => {
    await using small = new SmallDisk("300m");
    const { howdah } = small;
    const { key } = await howdah.json(["keys", "create", "remote"]);
    const { url } = await howdah.json(["server", "status"]);
    small.fill();
    // Whoever asks from elsewhere is let in, although it cannot be noted when.
    const answer = await fetch(`${url}/api/external-services`, { headers: { authorization: `Bearer ${key}` } });
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 200, body: [] });
    const { code, stderr } = await howdah.run(["config", "set", "-p", "x", `BIG=${"x".repeat(60_000)}`]);
    expect({ code, stderr }).toMatchObject({ code: DISK_FULL_EXIT, stderr: expect.stringContaining("(DISK_FULL)") });
    expect(await howdah.json(["services", "list"])).toEqual([]);
    await killControl(howdah);
    const listed = await howdah.run(["services", "list"]);
    if (listed.code !== 0) expect(listed.stderr).toContain("DISK_FULL");
    small.empty();
    await until("control is back", async () => (await howdah.run(["services", "list"])).code === 0, 60_000);
    await howdah.ok(["config", "set", "-p", "x", "NAME=value"]);
    await expectConverged(howdah);
  });
});

async function killControl(howdah: Installation): Promise<void> {
  for (const { pid, command, environ } of listProcesses()) {
    const isOurs = environ.includes(`HOWDAH_HOME=${howdah.home}\0`);
    if (isOurs && / server run /.test(`${command} `) && !/sh -c/.test(command)) process.kill(pid, "SIGKILL");
  }
  await delay(200);
}

/** One row a transaction; returns how many rows there must be. */
async function writeUntilItFails(url: string, from: number): Promise<number> {
  const client = await connectTo(url);
  try {
    for (let n = from; ; n++) {
      try {
        await client.query("insert into entries values ($1, $2)", [n, randomBytes(30_000).toString("hex")]);
      } catch {
        return n;
      }
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}
