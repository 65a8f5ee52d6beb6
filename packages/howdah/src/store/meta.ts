import type { Database } from "./database.js";
import type { Store } from "./types.js";

/** Where `open-store` keeps the check by which a wrong or lost key is told. */
export const KEY_CHECK = "encryption-key-check";

/** Small values of the installation itself. */
export function createMeta(db: Database): Store["meta"] {
  return {
    get: (key) => selectMeta(db, key),
    set: (key, value) => upsertMeta(db, key, value),
    note: (key, value) => db.relaxed(() => upsertMeta(db, key, value)),
  };
}

export function selectMeta(db: Database, key: string): string | undefined {
  return db.one<{ value: string }>("select value from meta where key = :key", { key })?.value;
}

/** Control keeps what it needs to know of a service under this beginning. */
export function deleteMetaOf(db: Database, serviceId: number): void {
  const prefix = `service/${serviceId}/`;
  db.run("delete from meta where substr(key, 1, length(:prefix)) = :prefix", { prefix });
}

export function upsertMeta(db: Database, key: string, value: string): void {
  db.run("insert into meta (key, value) values (:key, :value) on conflict (key) do update set value = excluded.value", {
    key,
    value,
  });
}
