import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { HowdahError, isHowdahError } from "../kernel/errors.js";
import type { Database } from "./database.js";
import type { ApiKeyRecord, Store } from "./types.js";

const PREFIX = "hd_";
const SECRET_BYTES = 32;
/** Every request would otherwise be a write with an fsync. */
const USE_NOTED_EVERY_MS = 60_000;

interface ApiKeyRow {
  readonly id: number;
  readonly name: string;
  readonly sha256: Buffer;
  readonly created_at: number;
  readonly last_used_at: number | null;
}

/** Keys for the REST API. They are 256 random bits, so that a plain SHA-256 tells nothing about them. */
export function createApiKeys(db: Database, now: () => number): Store["apiKeys"] {
  return {
    create: (name) => {
      const key = `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64url")}`;
      const row = insertKey(db, name, hash(key), now());
      if (row === undefined) throw new HowdahError("INTERNAL", "the new API key was not stored");
      return { record: toRecord(row), key };
    },
    list: () => selectKeys(db).map(toRecord),
    verify: (key) => {
      const presented = hash(key);
      let match: ApiKeyRow | undefined;
      // Every key is compared, so that the time taken tells nothing about which one was near.
      for (const row of selectKeys(db)) if (timingSafeEqual(row.sha256, presented)) match = row;
      if (match === undefined) return undefined;
      const at = now();
      if (match.last_used_at !== null && at - match.last_used_at < USE_NOTED_EVERY_MS) return toRecord(match);
      return toRecord(noteUse(db, match, at) ? { ...match, last_used_at: at } : match);
    },
    remove: (id) => deleteKey(db, id) > 0,
  };
}

function hash(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

function toRecord(row: ApiKeyRow): ApiKeyRecord {
  return { id: row.id, name: row.name, createdAt: row.created_at, lastUsedAt: row.last_used_at };
}

function insertKey(db: Database, name: string, sha256: Buffer, now: number): ApiKeyRow | undefined {
  return db.one(
    `insert into api_keys (name, sha256, created_at) values (:name, :sha256, :now)
     returning id, name, sha256, created_at, last_used_at`,
    { name, sha256, now },
  );
}

function selectKeys(db: Database): ApiKeyRow[] {
  return db.all("select id, name, sha256, created_at, last_used_at from api_keys order by id");
}

function updateLastUsed(db: Database, id: number, at: number): void {
  db.run("update api_keys set last_used_at = :at where id = :id", { id, at });
}

/** When a key was used is for people: a disk without space for it locks nobody out. */
function noteUse(db: Database, { id }: ApiKeyRow, at: number): boolean {
  try {
    updateLastUsed(db, id, at);
    return true;
  } catch (error) {
    if (isHowdahError(error, "DISK_FULL")) return false;
    throw error;
  }
}

function deleteKey(db: Database, id: number): number {
  return db.run("delete from api_keys where id = :id", { id });
}
