import { createHash } from "node:crypto";
import { chmodSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Database } from "./database.js";
import { acquireLock } from "./lock.js";
import { dumpSchema, migrate, schemaVersion } from "./migrate.js";
import { MIGRATIONS } from "./migrations/index.js";
import { openStore } from "./open-store.js";

let folder: string;
let paths: { stateDb: string; encryptionKey: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-open-"));
  paths = { stateDb: join(folder, "state.db"), encryptionKey: join(folder, "encryption_key") };
});
afterEach(() => rmSync(folder, { recursive: true }));

const refused = (code: string, message = "") =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

function writeSomething(): void {
  using store = openStore(paths);
  store.configs.set("shop", "PASSWORD", "correct horse battery");
}

describe("openStore", () => {
  test("makes private files only, also those that SQLite makes", () => {
    const before = process.umask(0);
    try {
      using store = openStore(paths);
      store.configs.set("shop", "A", "b");
      const modes = Object.fromEntries(readdirSync(folder).map((f) => [f, statSync(join(folder, f)).mode & 0o777]));
      expect(modes).toEqual({ encryption_key: 0o600, "state.db": 0o600, "state.db-shm": 0o600, "state.db-wal": 0o600 });
    } finally {
      process.umask(before);
    }
  });

  test("no secret stands in a file in clear", () => {
    writeSomething();
    for (const file of readdirSync(folder)) {
      expect(readFileSync(join(folder, file)).includes("correct horse"), file).toBe(false);
    }
  });

  test("commits are flushed to the disk, and references hold", () => {
    using db = Database.open(paths.stateDb);
    expect(db.one("pragma synchronous")).toEqual({ synchronous: 2 });
    expect(db.one("pragma journal_mode")).toEqual({ journal_mode: "wal" });
    expect(db.one("pragma foreign_keys")).toEqual({ foreign_keys: 1 });
    expect(db.one("pragma busy_timeout")).toEqual({ timeout: 5000 });
  });

  test("a second name of the key, which a kill at its making leaves, goes at the next opening", () => {
    writeSomething();
    linkSync(paths.encryptionKey, `${paths.encryptionKey}.0123456789abcdef.tmp`);
    writeSomething();
    expect(readdirSync(folder).filter((name) => name.startsWith("encryption_key"))).toEqual(["encryption_key"]);
  });

  test("a lost key is told and not replaced", () => {
    writeSomething();
    rmSync(paths.encryptionKey);
    expect(() => openStore(paths)).toThrow(refused("KEY_WRONG", "is missing"));
    expect(readdirSync(folder)).not.toContain("encryption_key");
  });

  test("another installation's key is told", () => {
    writeSomething();
    rmSync(paths.encryptionKey);
    openStore({ stateDb: join(folder, "other.db"), encryptionKey: paths.encryptionKey })[Symbol.dispose]();
    expect(() => openStore(paths)).toThrow(refused("KEY_WRONG", "is not the one that state.db was written with"));
  });

  test("an exposed key is refused, and the state opens again once it is private", () => {
    writeSomething();
    chmodSync(paths.encryptionKey, 0o644);
    expect(() => openStore(paths)).toThrow(refused("KEY_EXPOSED"));
    chmodSync(paths.encryptionKey, 0o600);
    using store = openStore(paths);
    expect(store.configs.get("shop", "PASSWORD")).toBe("correct horse battery");
  });

  test("secrets swapped between two rows do not open", () => {
    using store = openStore(paths);
    store.configs.set("shop", "A", "1");
    store.configs.set("shop", "B", "2");
    using db = Database.open(paths.stateDb);
    db.exec("update configs set value = (select value from configs where name = 'B') where name = 'A'");
    expect(() => store.configs.get("shop", "A")).toThrow(refused("STATE_DAMAGED", "shop/A"));
    expect(store.configs.get("shop", "B")).toBe("2");
  });

  test("a file that is not a database, and a folder that is not there", () => {
    writeFileSync(paths.stateDb, "no database at all, ".repeat(100), { mode: 0o600 });
    expect(() => openStore(paths)).toThrow(refused("STATE_DAMAGED", "is not a sound database"));
    expect(() => openStore({ ...paths, stateDb: join(folder, "no", "state.db") })).toThrow(
      refused("HOME_UNUSABLE", "ENOENT"),
    );
  });

  test("a full disk is told as such, and what was acknowledged stays", () => {
    writeSomething();
    using db = Database.open(paths.stateDb);
    const { page_count: pages } = db.one<{ page_count: number }>("pragma page_count") ?? { page_count: 0 };
    db.exec(`pragma max_page_count = ${pages}`);
    const fill = () => {
      for (let i = 0; i < 100; i++) {
        db.transaction(() => db.run("insert into meta values (:k, :v)", { k: `k${i}`, v: "x".repeat(5_000) }));
      }
    };
    expect(fill).toThrow(refused("DISK_FULL"));
    db.exec("pragma max_page_count = 100000");
    expect(() => fill()).not.toThrow();
  });
});

describe("transactions", () => {
  test("all or nothing, also when one stands within another", () => {
    using db = Database.open(paths.stateDb);
    db.exec("create table t (a integer unique) strict");
    const insert = (a: number) => db.transaction(() => db.run("insert into t values (:a)", { a }));
    expect(() =>
      db.transaction(() => {
        insert(1);
        insert(2);
        insert(1);
      }),
    ).toThrow(/UNIQUE/);
    expect(db.all("select a from t")).toEqual([]);
    insert(3);
    expect(db.all("select a from t")).toEqual([{ a: 3 }]);
  });
});

describe("migrations", () => {
  test("count from 1 without gaps", () => {
    expect(MIGRATIONS.map((m) => m.version)).toEqual(MIGRATIONS.map((_, i) => i + 1));
  });

  test("are not edited once released", () => {
    const digests = MIGRATIONS.map((m) => createHash("sha256").update(m.sql).digest("hex").slice(0, 16));
    expect(digests).toEqual(["1be66f745869c0ad", "551f60ac39978b9c"]);
  });

  test("yield the schema that is committed", async () => {
    using db = Database.open(paths.stateDb);
    migrate(db, 0);
    await expect(dumpSchema(db)).toMatchFileSnapshot("schema.sql");
  });

  test("run once; a later one is added to an older state", () => {
    using db = Database.open(paths.stateDb);
    migrate(db, 1);
    migrate(db, 2);
    const known = MIGRATIONS.length;
    const next = { version: known + 1, name: "next", sql: "create table next (a integer) strict" };
    migrate(db, 3, [...MIGRATIONS, next]);
    expect(schemaVersion(db)).toBe(known + 1);
    expect(db.all("select version, applied_at from migrations")).toEqual([
      ...MIGRATIONS.map(({ version }) => ({ version, applied_at: 1 })),
      { version: known + 1, applied_at: 3 },
    ]);
    expect(() => openStore(paths)).toThrow(refused("STATE_TOO_NEW", `schema ${known + 1}`));
    expect(readdirSync(folder), "no key is made for a state that we cannot read").not.toContain("encryption_key");
  });

  test("one that fails leaves nothing behind", () => {
    using db = Database.open(paths.stateDb);
    migrate(db, 1);
    const before = dumpSchema(db);
    const known = MIGRATIONS.length;
    const broken = { version: known + 1, name: "broken", sql: "create table half (a integer) strict; create nonsense" };
    expect(() => migrate(db, 2, [...MIGRATIONS, broken])).toThrow(/syntax error/);
    expect(schemaVersion(db)).toBe(known);
    expect(dumpSchema(db)).toBe(before);
  });
});

describe("lock", () => {
  test("is held once, given back, and private", () => {
    const lockDb = join(folder, "lock.db");
    const first = acquireLock(lockDb);
    expect(first).not.toBeNull();
    expect(acquireLock(lockDb)).toBeNull();
    expect(acquireLock(lockDb), "asking has not loosened it").toBeNull();
    expect(statSync(lockDb).mode & 0o777).toBe(0o600);
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose]();
    using again = acquireLock(lockDb);
    expect(again).not.toBeNull();
  });

  test("two homes do not disturb each other", () => {
    using a = acquireLock(join(folder, "a.db"));
    using b = acquireLock(join(folder, "b.db"));
    expect([a, b]).not.toContain(null);
  });

  test("a folder that is not there is told", () => {
    expect(() => acquireLock(join(folder, "no", "lock.db"))).toThrow(refused("HOME_UNUSABLE"));
  });
});
