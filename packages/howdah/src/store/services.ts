import { HowdahError } from "../kernel/errors.js";
import type { InitScript, RoleSecret } from "../spec/index.js";
import type { Database } from "./database.js";
import { deleteMetaOf } from "./meta.js";
import { RecentRoleSecrets } from "./recent-role-secrets.js";
import type { SecretBox, SecretPlace } from "./secret-box.js";
import * as rows from "./service-rows.js";
import { selectRoleSecrets, selectSleep, upsertRoleSecrets, upsertSleep } from "./sleep-rows.js";
import { chooseSlug } from "./slug.js";
import type { NewService, ServicePatch, ServiceRecord, Store } from "./types.js";

export function createServices(db: Database, box: SecretBox, now: () => number): Store["services"] {
  const live = (id: number) => rows.selectLiveById(db, id) ?? notFound(id);
  const patch = (id: number, changes: ServicePatch) => {
    const before = rows.toRecord(live(id));
    const after = { ...before, ...defined(changes), updatedAt: now() };
    if (after.port !== before.port) requirePort(db, after.port);
    rows.updateService(db, after);
    return rows.toRecord(live(id));
  };
  const recent = new RecentRoleSecrets();
  const roleSecrets = (id: number) => {
    const sealed = selectRoleSecrets(db, id);
    return sealed === undefined ? [] : (JSON.parse(box.open(sealed, secretsPlace(id))) as RoleSecret[]);
  };
  return {
    list: (project) =>
      (project === undefined ? rows.selectLive(db) : rows.selectLiveOfProject(db, project)).map(rows.toRecord),
    get: (id) => optional(rows.selectLiveById(db, id)),
    bySlug: (slug) => optional(rows.selectLiveBySlug(db, slug)),
    byName: (name, project) =>
      rows
        .selectLiveByName(db, name)
        .map(rows.toRecord)
        .filter((service) => project === undefined || service.project === project),
    insert: (service) => db.transaction(() => insert(db, box, service, now())),
    patch: (id, changes) => db.transaction(() => patch(id, changes)),
    observe: (id, changes) => db.relaxed(() => patch(id, changes)),
    sleep: (id) => selectSleep(db, id),
    observeSleep: (id, changes) =>
      db.relaxed(() => {
        live(id);
        const next = { ...selectSleep(db, id), ...changes };
        upsertSleep(db, id, next);
        return next;
      }),
    roleSecrets,
    roleSecret: (id, role) => recent.of(id, () => roleSecrets(id)).get(role) ?? null,
    setRoleSecrets: (id, secrets) => {
      recent.forget(id);
      db.transaction(() => {
        live(id);
        upsertRoleSecrets(db, id, box.seal(JSON.stringify(secrets), secretsPlace(id)));
      });
    },
    password: (id) => box.open(rows.selectPassword(db, id) ?? notFound(id), passwordPlace(id)),
    setPassword: (id, password) => {
      if (rows.updatePassword(db, id, box.seal(password, passwordPlace(id)), now()) === 0) notFound(id);
    },
    initScripts: (id) => {
      const sealed = rows.selectInitScripts(db, id);
      return sealed === undefined ? [] : (JSON.parse(box.open(sealed, scriptsPlace(id))) as InitScript[]);
    },
    clearInitScripts: (id) => rows.deleteInitScripts(db, id),
    discard: (id) => {
      recent.forget(id);
      db.transaction(() => {
        if (rows.deleteLive(db, id) > 0) deleteMetaOf(db, id);
      });
    },
    ports: () => new Set(rows.selectPorts(db)),
    uids: () => new Set(rows.selectUids(db)),
  };
}

/** Throws SERVICE_EXISTS when a live service of that name is there. */
export function requireName(db: Database, project: string, name: string): void {
  if (rows.selectLiveByName(db, name).some((other) => other.project === project)) {
    throw new HowdahError("SERVICE_EXISTS", `service '${project}/${name}' already exists`);
  }
}

/** Throws PORT_TAKEN when a live service holds the port. One in the trash gives way: it can come back at another. */
export function requirePort(db: Database, port: number): void {
  const holder = rows.selectLiveByPort(db, port);
  if (holder === undefined) return;
  throw new HowdahError("PORT_TAKEN", `port ${port} belongs to service '${holder.project}/${holder.name}'`, {
    hint: "Choose another port, or remove that service first.",
  });
}

function insert(db: Database, box: SecretBox, service: NewService, now: number): ServiceRecord {
  requireName(db, service.project, service.name);
  requirePort(db, service.port);
  const id = rows.selectNextId(db);
  const { project, name, origin, definition, port, uid } = service;
  const slug = chooseSlug({ id, project, name }, new Set(rows.selectLiveSlugs(db)));
  const record: ServiceRecord = {
    ...{ id, project, name, slug, origin, definition, port, uid },
    desired: "running",
    state: "creating",
    stateDetail: null,
    notices: [],
    engine: service.engine,
    provisioned: null,
    generation: 1,
    observedGeneration: 0,
    restartWanted: 0,
    restartedFor: 0,
    createdAt: now,
    updatedAt: now,
  };
  rows.insertService(db, record, box.seal(service.password, passwordPlace(id)));
  if (service.initScripts.length > 0) {
    rows.insertInitScripts(db, id, box.seal(JSON.stringify(service.initScripts), scriptsPlace(id)));
  }
  return record;
}

const passwordPlace = (id: number): SecretPlace => ({ table: "services", row: id, column: "password" });
const secretsPlace = (id: number): SecretPlace => ({ table: "role_secrets", row: id, column: "secrets" });
const scriptsPlace = (id: number): SecretPlace => ({ table: "init_scripts", row: id, column: "scripts" });

function optional(row: rows.ServiceRow | undefined): ServiceRecord | undefined {
  return row === undefined ? undefined : rows.toRecord(row);
}

/** A key that is there but undefined must not erase what the row holds. */
function defined(patch: ServicePatch): ServicePatch {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}

function notFound(id: number): never {
  throw new HowdahError("SERVICE_NOT_FOUND", `service ${id} does not exist`);
}
