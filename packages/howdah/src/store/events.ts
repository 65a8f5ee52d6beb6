import type { Database } from "./database.js";
import type { EventRecord, Store } from "./types.js";

export const EVENTS_KEPT = 10_000;
const DEFAULT_LIMIT = 100;

interface EventRow {
  readonly id: number;
  readonly at: number;
  readonly service_id: number | null;
  readonly kind: string;
  readonly message: string;
}

/** What happened lately, for people. Only the last ones are kept, so a crash loop cannot fill the disk. */
export function createEvents(db: Database, now: () => number): Store["events"] {
  return {
    append: (event) =>
      db.relaxed(() => {
        insertEvent(db, event, now());
        deleteOldEvents(db);
      }),
    list: (options = {}) => {
      const limit = options.limit ?? DEFAULT_LIMIT;
      const { serviceId } = options;
      const found = serviceId === undefined ? selectEvents(db, limit) : selectEventsOf(db, serviceId, limit);
      return found.map(toRecord);
    },
  };
}

function toRecord(row: EventRow): EventRecord {
  return { id: row.id, at: row.at, serviceId: row.service_id, kind: row.kind, message: row.message };
}

function insertEvent(
  db: Database,
  event: { serviceId: number | null; kind: string; message: string },
  at: number,
): void {
  db.run("insert into events (at, service_id, kind, message) values (:at, :service_id, :kind, :message)", {
    at,
    service_id: event.serviceId,
    kind: event.kind,
    // Messages may quote a program's output, and SQLite's text ends at NUL.
    message: event.message.replaceAll("\0", "\ufffd"),
  });
}

/** Numbers grow by one, so a range on the primary key is all it takes. */
function deleteOldEvents(db: Database): void {
  db.run("delete from events where id <= (select max(id) from events) - :kept", { kept: EVENTS_KEPT });
}

function selectEvents(db: Database, limit: number): EventRow[] {
  return db.all("select id, at, service_id, kind, message from events order by id desc limit :limit", { limit });
}

function selectEventsOf(db: Database, serviceId: number, limit: number): EventRow[] {
  return db.all(
    `select id, at, service_id, kind, message from events where service_id = :service_id
     order by id desc limit :limit`,
    { service_id: serviceId, limit },
  );
}
