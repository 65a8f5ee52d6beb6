import type { Database } from "./database.js";
import type { SecretBox, SecretPlace } from "./secret-box.js";
import type { Store } from "./types.js";

/** Values that a user keeps for a project (`howdah config set`): written and used, never listed. */
export function createConfigs(db: Database, box: SecretBox, now: () => number): Store["configs"] {
  return {
    set: (project, name, value, options) => {
      const sealed = box.seal(value, place(project, name));
      const write = options?.ifNotSet ? insertConfig : upsertConfig;
      return write(db, { project, name, value: sealed, now: now() }) > 0;
    },
    get: (project, name) => {
      const sealed = selectConfig(db, project, name);
      return sealed === undefined ? undefined : box.open(sealed, place(project, name));
    },
    list: (project) => selectConfigNames(db, project).map((row) => ({ name: row.name, updatedAt: row.updated_at })),
    remove: (project, name) => deleteConfig(db, project, name) > 0,
  };
}

const place = (project: string, name: string): SecretPlace => ({
  table: "configs",
  row: [project, name],
  column: "value",
});

interface NewConfig extends Record<string, string | number | Buffer> {
  readonly project: string;
  readonly name: string;
  readonly value: Buffer;
  readonly now: number;
}

function insertConfig(db: Database, config: NewConfig): number {
  return db.run(
    `insert into configs (project, name, value, updated_at) values (:project, :name, :value, :now)
     on conflict do nothing`,
    config,
  );
}

function upsertConfig(db: Database, config: NewConfig): number {
  return db.run(
    `insert into configs (project, name, value, updated_at) values (:project, :name, :value, :now)
     on conflict (project, name) do update set value = excluded.value, updated_at = excluded.updated_at`,
    config,
  );
}

function selectConfig(db: Database, project: string, name: string): Buffer | undefined {
  return db.one<{ value: Buffer }>("select value from configs where project = :project and name = :name", {
    project,
    name,
  })?.value;
}

function selectConfigNames(db: Database, project: string): { name: string; updated_at: number }[] {
  return db.all("select name, updated_at from configs where project = :project order by name", { project });
}

function deleteConfig(db: Database, project: string, name: string): number {
  return db.run("delete from configs where project = :project and name = :name", { project, name });
}
