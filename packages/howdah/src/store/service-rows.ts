/** The statements on `services`, one function each, and the row's way to a record and back. */
import { LOOPBACK_ENDPOINT, REGULAR } from "../spec/index.js";
import type { Database } from "./database.js";
import type { ServiceDefinition, ServiceRecord } from "./types.js";

export interface ServiceRow {
  readonly id: number;
  readonly project: string;
  readonly name: string;
  readonly slug: string;
  readonly origin: string;
  readonly definition: string;
  readonly desired: string;
  readonly state: string;
  readonly state_detail: string | null;
  readonly notices: string;
  readonly port: number;
  readonly engine: string | null;
  readonly uid: number | null;
  readonly provisioned: string | null;
  readonly generation: number;
  readonly observed_generation: number;
  readonly restart_wanted: number;
  readonly restarted_for: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly removed_at: number | null;
  readonly expires_at: number | null;
}

const COLUMNS = `id, project, name, slug, origin, definition, desired, state, state_detail, notices, port, engine, uid,
  provisioned, generation, observed_generation, restart_wanted, restarted_for, created_at, updated_at, removed_at,
  expires_at`;

export function toRecord(row: ServiceRow): ServiceRecord {
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    slug: row.slug,
    origin: row.origin as ServiceRecord["origin"],
    definition: toDefinition(row.definition),
    desired: row.desired as ServiceRecord["desired"],
    state: row.state as ServiceRecord["state"],
    stateDetail: row.state_detail,
    notices: JSON.parse(row.notices) as string[],
    port: row.port,
    engine: row.engine as ServiceRecord["engine"],
    uid: row.uid,
    provisioned: row.provisioned,
    generation: row.generation,
    observedGeneration: row.observed_generation,
    restartWanted: row.restart_wanted,
    restartedFor: row.restarted_for,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Rows that were written before a field came have its default. */
function toDefinition(text: string): ServiceDefinition {
  const older = { mode: REGULAR, endpoint: LOOPBACK_ENDPOINT };
  return { ...older, ...(JSON.parse(text) as Omit<ServiceDefinition, keyof typeof older> & Partial<typeof older>) };
}

export function selectLive(db: Database): ServiceRow[] {
  return db.all(`select ${COLUMNS} from services where removed_at is null order by id`);
}

export function selectLiveOfProject(db: Database, project: string): ServiceRow[] {
  return db.all(`select ${COLUMNS} from services where removed_at is null and project = :project order by id`, {
    project,
  });
}

export function selectLiveById(db: Database, id: number): ServiceRow | undefined {
  return db.one(`select ${COLUMNS} from services where removed_at is null and id = :id`, { id });
}

export function selectLiveBySlug(db: Database, slug: string): ServiceRow | undefined {
  return db.one(`select ${COLUMNS} from services where removed_at is null and slug = :slug`, { slug });
}

export function selectLiveByName(db: Database, name: string): ServiceRow[] {
  return db.all(`select ${COLUMNS} from services where removed_at is null and name = :name order by id`, { name });
}

export function selectLiveByPort(db: Database, port: number): ServiceRow | undefined {
  return db.one(`select ${COLUMNS} from services where removed_at is null and port = :port`, { port });
}

export function selectRemoved(db: Database): ServiceRow[] {
  return db.all(`select ${COLUMNS} from services where removed_at is not null order by removed_at, id`);
}

export function selectRemovedById(db: Database, id: number): ServiceRow | undefined {
  return db.one(`select ${COLUMNS} from services where removed_at is not null and id = :id`, { id });
}

export function selectLiveSlugs(db: Database): string[] {
  return db.all<{ slug: string }>("select slug from services where removed_at is null").map((row) => row.slug);
}

export function selectPorts(db: Database): number[] {
  return db.all<{ port: number }>("select port from services").map((row) => row.port);
}

export function selectUids(db: Database): number[] {
  return db.all<{ uid: number }>("select uid from services where uid is not null").map((row) => row.uid);
}

/** The number that the next row gets; numbers are never given twice. */
export function selectNextId(db: Database): number {
  return (db.one<{ seq: number }>("select seq from sqlite_sequence where name = 'services'")?.seq ?? 0) + 1;
}

export function insertService(db: Database, record: ServiceRecord, password: Buffer): void {
  db.run(
    `insert into services (id, project, name, slug, origin, definition, password, desired, state, state_detail,
       notices, port, engine, uid, provisioned, generation, observed_generation, restart_wanted, restarted_for,
       created_at, updated_at)
     values (:id, :project, :name, :slug, :origin, :definition, :password, :desired, :state, :state_detail,
       :notices, :port, :engine, :uid, :provisioned, :generation, :observed_generation, :restart_wanted,
       :restarted_for, :created_at, :updated_at)`,
    {
      ...changeableColumns(record),
      project: record.project,
      name: record.name,
      slug: record.slug,
      created_at: record.createdAt,
      password,
    },
  );
}

export function updateService(db: Database, record: ServiceRecord): void {
  db.run(
    `update services
     set origin = :origin, definition = :definition, desired = :desired, state = :state,
       state_detail = :state_detail, notices = :notices, port = :port, engine = :engine, uid = :uid,
       provisioned = :provisioned, generation = :generation, observed_generation = :observed_generation,
       restart_wanted = :restart_wanted, restarted_for = :restarted_for, updated_at = :updated_at
     where id = :id and removed_at is null`,
    changeableColumns(record),
  );
}

export function selectPassword(db: Database, id: number): Buffer | undefined {
  return db.one<{ password: Buffer }>("select password from services where id = :id and removed_at is null", { id })
    ?.password;
}

export function updatePassword(db: Database, id: number, password: Buffer, now: number): number {
  return db.run("update services set password = :password, updated_at = :now where id = :id and removed_at is null", {
    id,
    password,
    now,
  });
}

export function markRemoved(db: Database, id: number, removedAt: number, expiresAt: number): number {
  return db.run(
    "update services set removed_at = :removed_at, expires_at = :expires_at where id = :id and removed_at is null",
    { id, removed_at: removedAt, expires_at: expiresAt },
  );
}

export function unmarkRemoved(
  db: Database,
  to: { id: number; name: string; slug: string; port: number; now: number },
): void {
  db.run(
    `update services
     set removed_at = null, expires_at = null, name = :name, slug = :slug, port = :port, desired = 'stopped',
       state = 'stopped', state_detail = null, updated_at = :now
     where id = :id and removed_at is not null`,
    to,
  );
}

export function deleteLive(db: Database, id: number): number {
  return db.run("delete from services where id = :id and removed_at is null", { id });
}

export function deleteRemoved(db: Database, id: number): number {
  return db.run("delete from services where id = :id and removed_at is not null", { id });
}

export function selectInitScripts(db: Database, id: number): Buffer | undefined {
  return db.one<{ scripts: Buffer }>("select scripts from init_scripts where service_id = :id", { id })?.scripts;
}

export function insertInitScripts(db: Database, id: number, scripts: Buffer): void {
  db.run("insert into init_scripts (service_id, scripts) values (:id, :scripts)", { id, scripts });
}

export function deleteInitScripts(db: Database, id: number): void {
  db.run("delete from init_scripts where service_id = :id", { id });
}

function changeableColumns(record: ServiceRecord) {
  return {
    id: record.id,
    origin: record.origin,
    definition: JSON.stringify(record.definition),
    desired: record.desired,
    state: record.state,
    state_detail: record.stateDetail?.replaceAll("\0", "\ufffd") ?? null,
    notices: JSON.stringify(record.notices),
    port: record.port,
    engine: record.engine,
    uid: record.uid,
    provisioned: record.provisioned,
    generation: record.generation,
    observed_generation: record.observedGeneration,
    restart_wanted: record.restartWanted,
    restarted_for: record.restartedFor,
    updated_at: record.updatedAt,
  };
}
