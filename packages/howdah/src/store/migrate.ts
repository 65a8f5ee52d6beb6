import { HowdahError } from "../kernel/errors.js";
import type { Database } from "./database.js";
import { MIGRATIONS } from "./migrations/index.js";
import type { Migration } from "./migrations/types.js";

/** Brings the schema up to the newest version; each step is one transaction. Throws STATE_TOO_NEW. */
export function migrate(db: Database, now: number, migrations: readonly Migration[] = MIGRATIONS): void {
  const newest = migrations.at(-1)?.version ?? 0;
  const found = schemaVersion(db);
  if (found > newest) {
    throw new HowdahError("STATE_TOO_NEW", `state.db has schema ${found}, this Howdah knows schemas up to ${newest}`);
  }
  db.exec(`create table if not exists migrations (
  version integer primary key,
  name text not null,
  applied_at integer not null
) strict`);
  for (const migration of migrations) {
    if (migration.version <= found) continue;
    db.transaction(() => {
      // The version first: whoever else is migrating stops here instead of half way.
      if (insertVersion(db, migration, now) === 1) db.exec(migration.sql);
    });
  }
}

/** 0 for a new file. */
export function schemaVersion(db: Database): number {
  if (!hasTable(db, "migrations")) return 0;
  return db.one<{ version: number | null }>("select max(version) as version from migrations")?.version ?? 0;
}

export function hasTable(db: Database, name: string): boolean {
  return db.one("select 1 from sqlite_schema where type = 'table' and name = :name", { name }) !== undefined;
}

/** The schema as text, for the committed `schema.sql`. */
export function dumpSchema(db: Database): string {
  const rows = db.all<{ sql: string }>(
    "select sql from sqlite_schema where sql is not null and name not like 'sqlite_%' order by tbl_name, type desc, name",
  );
  return rows.map((row) => `${row.sql};\n`).join("\n");
}

function insertVersion(db: Database, migration: Migration, now: number): number {
  return db.run(
    "insert into migrations (version, name, applied_at) values (:version, :name, :now) on conflict do nothing",
    { version: migration.version, name: migration.name, now },
  );
}
