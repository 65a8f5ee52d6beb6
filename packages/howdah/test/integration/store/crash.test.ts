import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Database } from "../../../src/store/database.js";
import { acquireLock, openStore, type ServiceRecord } from "../../../src/store/index.js";

const WRITER = join(import.meta.dirname, "../../support/store-writer.mjs");
const ROUNDS = 12;

let folder: string;
let random: () => number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-crash-"));
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  random = mulberry32(seed);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a store whose process is killed", () => {
  test("keeps every acknowledged write and no half of another", async () => {
    const kept = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      const first = round * 1_000 + 1;
      const acknowledged = await writeUntilKilled(first, random() * 120);
      expect(acknowledged.get("open")).toBe(0);
      // Odd ones are never removed.
      for (let n = first; n <= (acknowledged.get("insert") ?? 0); n += 2) kept.add(n);
      verify(acknowledged, kept);
    }
    expect(kept.size, "something was written").toBeGreaterThan(ROUNDS);
  });

  test("opens again wherever its first opening was cut off", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      for (const file of readdirSync(folder)) rmSync(join(folder, file));
      const child = startWriter(1);
      await delay(20 + random() * 80);
      await kill(child);
      verify(new Map(), new Set());
      expect(readdirSync(folder).filter((f) => f.endsWith(".tmp"))).toEqual([]);
    }
  });

  test("a lock held by another process is seen, and free at once when that one is killed", async () => {
    const lockDb = join(folder, "lock.db");
    const child = startWriter(1);
    await firstLine(child);
    expect(acquireLock(lockDb)).toBeNull();
    await kill(child);
    using lock = acquireLock(lockDb);
    expect(lock).not.toBeNull();
    // And the other way: the child cannot take what we hold.
    const second = startWriter(1);
    const [code] = await once(second, "exit");
    expect(code).toBe(1);
  });
});

/** Reopens the store and compares it with what the writer was told. Numbers grow, so the last of each kind is enough. */
function verify(acknowledged: ReadonlyMap<string, number>, kept: ReadonlySet<number>): void {
  {
    using db = Database.open(join(folder, "state.db"));
    expect(db.all("pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
    expect(db.all("pragma foreign_key_check")).toEqual([]);
  }
  using store = openStore({ stateDb: join(folder, "state.db"), encryptionKey: join(folder, "encryption_key") });
  const live = store.services.list();
  const numbers = new Set([...live, ...store.trash.list().map((t) => t.service)].map(numberOf));

  for (const service of live) {
    const n = numberOf(service);
    expect([`password-${n}`, `changed-${n}`]).toContain(store.services.password(service.id));
    expect(store.services.initScripts(service.id).map((s) => s.name)).toEqual([`${n}.sql`]);
  }
  const apps = store.apps.list("p");
  expect([0, 5]).toContain(apps.length);
  expect(new Set(apps.map((app) => app.image)).size).toBeLessThanOrEqual(1);

  const last = (what: string) => acknowledged.get(what) ?? 0;
  const changed = live.find((service) => numberOf(service) === last("password"));
  if (changed !== undefined) expect(store.services.password(changed.id)).toBe(`changed-${last("password")}`);
  expect(Number(apps[0]?.image ?? 0)).toBeGreaterThanOrEqual(last("apps"));
  expect(Number(store.configs.get("p", "LAST") ?? 0)).toBeGreaterThanOrEqual(last("config"));
  expect(Number(store.events.list({ limit: 1 })[0]?.message ?? 0)).toBeGreaterThanOrEqual(last("event"));
  if (last("trash") > 0) expect(live.map(numberOf)).not.toContain(last("trash"));
  if (last("purge") > 0) expect(numbers).not.toContain(last("purge"));
  expect([...kept].filter((n) => !numbers.has(n))).toEqual([]);
}

function numberOf(service: ServiceRecord): number {
  return Number(service.name.slice(1));
}

/** Kills the writer `ms` after it has opened the store; returns the last number of each kind that it told. */
async function writeUntilKilled(first: number, ms: number): Promise<Map<string, number>> {
  const child = startWriter(first);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  await firstLine(child);
  await delay(ms);
  await kill(child);
  const acknowledged = new Map<string, number>();
  for (const line of output.split("\n").slice(0, -1)) {
    const [what = "", n] = line.split(" ");
    acknowledged.set(what, Number(n));
  }
  return acknowledged;
}

/** What is known of a writer from its first moment on: its end may come before anybody asks. */
const ends = new WeakMap<ChildProcess, Promise<{ signal: NodeJS.Signals | null; said: string }>>();

function startWriter(first: number): ChildProcess {
  const child = spawn(process.execPath, [WRITER, folder, String(first)], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  ends.set(
    child,
    new Promise((resolve) => {
      child.once("close", (_code, signal) => resolve({ signal, said }));
    }),
  );
  return child;
}

async function firstLine(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit").then(() => {
    throw new Error("the writer ended by itself; is the build up to date (npm run build)?");
  });
  await Promise.race([child.stdout ? once(child.stdout, "data") : exited, exited]);
  exited.catch(() => {
    // The kill that follows is meant.
  });
}

/** Resolves when the process is gone and all that it wrote was read. Throws when it had ended by itself. */
async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  const end = await ends.get(child);
  if (end?.signal !== "SIGKILL") throw new Error(`the writer ended by itself: ${end?.said}`);
}

/** A small seeded generator, so that a failure can be run again. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
