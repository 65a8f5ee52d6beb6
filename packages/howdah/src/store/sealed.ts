import type { Database } from "./database.js";
import type { SecretBox, SecretPlace } from "./secret-box.js";
import type { Store } from "./types.js";

/** Secrets of the installation itself, such as the key of its certificate authority. */
export function createSealed(db: Database, box: SecretBox): Store["sealed"] {
  return {
    get: (name) => {
      const row = db.one<{ value: Buffer }>("select value from sealed where name = :name", { name });
      return row === undefined ? undefined : box.open(row.value, place(name));
    },
    set: (name, value) => {
      db.run(
        `insert into sealed (name, value) values (:name, :value)
         on conflict (name) do update set value = excluded.value`,
        { name, value: box.seal(value, place(name)) },
      );
    },
    remove: (name) => {
      db.run("delete from sealed where name = :name", { name });
    },
  };
}

const place = (name: string): SecretPlace => ({ table: "sealed", row: name, column: "value" });
