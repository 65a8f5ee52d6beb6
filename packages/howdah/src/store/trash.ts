import { HowdahError } from "../kernel/errors.js";
import type { Database } from "./database.js";
import { deleteMetaOf } from "./meta.js";
import * as rows from "./service-rows.js";
import { requireName, requirePort } from "./services.js";
import { chooseSlug } from "./slug.js";
import type { Store, TrashRecord } from "./types.js";

export function createTrash(db: Database, now: () => number): Store["trash"] {
  return {
    // Repeating it changes nothing, so that a removal can be carried on with after a crash.
    put: (id, expiresAt) =>
      db.transaction(() => {
        rows.markRemoved(db, id, now(), expiresAt);
        const row = rows.selectRemovedById(db, id);
        if (row === undefined) throw new HowdahError("SERVICE_NOT_FOUND", `service ${id} does not exist`);
        return toTrashRecord(row);
      }),
    list: () => rows.selectRemoved(db).map(toTrashRecord),
    get: (id) => {
      const row = rows.selectRemovedById(db, id);
      return row === undefined ? undefined : toTrashRecord(row);
    },
    restore: (id, { name, port }) =>
      db.transaction(() => {
        const row = rows.selectRemovedById(db, id);
        if (row === undefined) throw new HowdahError("TRASH_NOT_FOUND", `no removed service has the number ${id}`);
        requireName(db, row.project, name);
        requirePort(db, port);
        const slug = chooseSlug({ id, project: row.project, name }, new Set(rows.selectLiveSlugs(db)));
        rows.unmarkRemoved(db, { id, name, slug, port, now: now() });
        const restored = rows.selectLiveById(db, id);
        if (restored === undefined) throw new Error(`service ${id} is not there after it was restored`);
        return rows.toRecord(restored);
      }),
    purge: (id) =>
      db.transaction(() => {
        if (rows.deleteRemoved(db, id) > 0) deleteMetaOf(db, id);
      }),
  };
}

function toTrashRecord(row: rows.ServiceRow): TrashRecord {
  return { id: row.id, service: rows.toRecord(row), removedAt: row.removed_at ?? 0, expiresAt: row.expires_at ?? 0 };
}
