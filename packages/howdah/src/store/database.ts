import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import Libsql from "libsql";
import { errnoOf, HowdahError } from "../kernel/errors.js";
import { bind, type Parameters, placeholdersOf } from "./bind.js";

interface Prepared {
  readonly statement: Libsql.Statement;
  readonly placeholders: ReadonlySet<string>;
}

/** One SQLite file: prepared statements, transactions, and errors in our own terms. */
export class Database implements Disposable {
  readonly #db: Libsql.Database;
  readonly #path: string;
  readonly #prepared = new Map<string, Prepared>();

  private constructor(path: string, db: Libsql.Database) {
    this.#path = path;
    this.#db = db;
  }

  /** WAL, foreign keys, and an fsync at every commit: an acknowledged wish outlives a power cut.
   *  Throws HOME_UNUSABLE, DISK_FULL, STATE_DAMAGED. */
  static open(path: string): Database {
    createPrivateFile(path);
    const database = new Database(path, connect(path));
    try {
      database.exec("pragma busy_timeout = 5000");
      database.exec("pragma journal_mode = wal");
      database.exec("pragma synchronous = full");
      database.exec("pragma foreign_keys = on");
      return database;
    } catch (error) {
      database[Symbol.dispose]();
      throw error;
    }
  }

  /** Rows in order; blobs as Buffers. The caller vouches for `Row`, which mirrors the statement's columns. */
  all<Row>(sql: string, values: Parameters = {}): Row[] {
    const { statement, placeholders } = this.#prepare(sql);
    const bound = bind(placeholders, values);
    return this.#guard(() => statement.all(bound)).map((row) => withBuffers(row as Record<string, unknown>) as Row);
  }

  one<Row>(sql: string, values: Parameters = {}): Row | undefined {
    return this.all<Row>(sql, values)[0];
  }

  /** Returns how many rows were changed. */
  run(sql: string, values: Parameters = {}): number {
    const { statement, placeholders } = this.#prepare(sql);
    const bound = bind(placeholders, values);
    return this.#guard(() => statement.run(bound)).changes;
  }

  /** Several statements without parameters. */
  exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  /** All or nothing. Within another transaction it becomes a part of that one. */
  transaction<T>(action: () => T): T {
    if (this.#db.inTransaction) return action();
    this.exec("begin immediate");
    try {
      const result = action();
      this.exec("commit");
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after a full disk or an I/O error.
      if (this.#db.inTransaction) this.exec("rollback");
      throw error;
    }
  }

  /** As `transaction`, but without waiting for the disk: the last of these may be lost at a power cut, never at the end
   *  of this process, and never out of order with what `transaction` wrote. */
  relaxed<T>(action: () => T): T {
    if (this.#db.inTransaction) return action();
    this.exec("pragma synchronous = normal");
    try {
      return this.transaction(action);
    } finally {
      this.exec("pragma synchronous = full");
    }
  }

  /** Files stay open until the garbage collector has taken the statements; no lock is held any more. */
  [Symbol.dispose](): void {
    if (!this.#db.open) return;
    this.#prepared.clear();
    this.#db.close();
  }

  #prepare(sql: string): Prepared {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      prepared = { statement: this.#guard(() => this.#db.prepare(sql)), placeholders: placeholdersOf(sql) };
      this.#prepared.set(sql, prepared);
    }
    return prepared;
  }

  #guard<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw translate(error, this.#path);
    }
  }
}

/** Creates an empty file of mode 0600; SQLite gives its -wal, -shm and -journal files the mode of the database.
 *  An existing file is not even opened: closing it would drop this process's POSIX locks on it. */
export function createPrivateFile(path: string): void {
  try {
    const fd = openSync(path, "wx", 0o600);
    fsyncSync(fd);
    closeSync(fd);
    syncFolder(dirname(path));
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    throw translateFileError(error, path);
  }
}

/** Makes the names in a folder durable. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens without any pragma. Throws HOME_UNUSABLE. */
export function connect(path: string): Libsql.Database {
  try {
    return new Libsql(path);
  } catch (error) {
    throw new HowdahError("HOME_UNUSABLE", `cannot open '${path}'`, { cause: error });
  }
}

export function translateFileError(error: unknown, path: string): HowdahError {
  const errno = errnoOf(error);
  if (errno === "ENOSPC" || errno === "EDQUOT") {
    return new HowdahError("DISK_FULL", `no space left for '${path}'`, { cause: error });
  }
  return new HowdahError("HOME_UNUSABLE", `cannot open '${path}': ${errno ?? String(error)}`, { cause: error });
}

function translate(error: unknown, path: string): unknown {
  const code = errnoOf(error) ?? "";
  if (code === "SQLITE_FULL") return new HowdahError("DISK_FULL", `no space left for '${path}'`, { cause: error });
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH)/.test(code)) {
    return new HowdahError("HOME_UNUSABLE", `cannot write '${path}': ${code}`, { cause: error });
  }
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
    return new HowdahError("STATE_DAMAGED", `'${path}' is not a sound database: ${code}`, { cause: error });
  }
  return error;
}

function withBuffers(row: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(row)) {
    if (value instanceof ArrayBuffer) row[name] = Buffer.from(value);
  }
  return row;
}
