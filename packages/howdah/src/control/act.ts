/** Carries out one action of the plan. Each may be interrupted anywhere and run again. */
import { setTimeout as delay } from "node:timers/promises";
import { assertNever } from "../kernel/assert-never.js";
import { HowdahError, isHowdahError } from "../kernel/errors.js";
import { generatePassword } from "../kernel/password.js";
import {
  connectUser,
  createCluster,
  type Distribution,
  discardRuns,
  endSurvivors,
  healAdmin,
  provision,
  readRoleSecrets,
  reloadServer,
  runFolder,
  runInitScripts,
  type ServerSpec,
  SOCKET_PORT,
  startServer,
  stopServer,
} from "../postgres/index.js";
import { prepareServiceFolders, removeTree, requireFreeSpace } from "../runtime/index.js";
import type { ServiceRecord } from "../store/index.js";
import { type Context, credentialsOf, marks, serverSpec, titleOf, wantedOf } from "./context.js";
import { fallAsleep } from "./fall-asleep.js";
import type { Action } from "./plan-service.js";
import { endOfLifeNotice } from "./plan-stack.js";
import { discardService, moveToTrash, recoverFromTrash } from "./trash.js";

/** A fresh cluster and its first WAL take some 45 MB; less than this left makes the first minutes fail half-way. */
export const MIN_FREE_BYTES = 128 * 1024 * 1024;
/** A fast stop waits for the shutdown checkpoint, which may have gigabytes to write; then it is made immediate. */
const STOP_TIMEOUT_MS = 120_000;

export async function act(context: Context, record: ServiceRecord, action: Action, signal: AbortSignal): Promise<void> {
  const { store } = context;
  switch (action.do) {
    case "listen":
      return context.gateway.listen(record);
    case "sleep":
      return fallAsleep(context, record);
    case "recover-from-trash":
      return recoverFromTrash(context, record.id);
    case "create-cluster":
      return makeCluster(context, record, signal);
    case "discard-cluster":
      await discardRuns(context.layout.service(record.id).root);
      await removeTree(context.layout.service(record.id).data);
      marks.initScriptsBegun.set(store, record.id, false);
      return;
    case "end-survivors":
      phase(context, record, "ending processes that outlived their server");
      await endSurvivors(await specOf(context, record), context.log);
      return;
    case "start":
      return start(context, record, signal);
    case "stop":
      return stop(context, record);
    case "reload":
      return reload(context, record);
    case "provision":
      return applyCredentials(context, record);
    case "run-init-scripts":
      return initialise(context, record, signal);
    case "move-to-trash":
      await context.gateway.remove(record.id);
      context.clean.delete(record.id);
      return record.provisioned === null ? discardService(context, record) : moveToTrash(context, record);
    case "lost":
      throw new HowdahError("SERVICE_FAILED", `the data directory of service '${titleOf(record)}' is gone`, {
        hint: "Put it back from a copy; Howdah makes no empty server in the place of a full one. 'howdah services remove' gives the service up.",
      });
    default:
      return assertNever(action);
  }
}

async function stop(context: Context, record: ServiceRecord): Promise<void> {
  const { store, gateway, sessions } = context;
  store.services.observe(record.id, { state: record.desired === "deleted" ? "deleting" : "stopping" });
  phase(context, record, "stopping");
  await gateway.closed(record.id, { unlessBusy: false });
  if (record.desired === "stopped") await keepRoles(context, record);
  await sessions.forget(record.id);
  const options = { mode: "fast", timeoutMs: STOP_TIMEOUT_MS, log: context.log } as const;
  if ((await stopServer(await specForStop(context, record), options)).clean) context.clean.add(record.id);
  store.events.append({ serviceId: record.id, kind: "stopped", message: "stopped in order" });
}

/** While it is stopped, its clients are still asked for their passwords before they hear so. */
async function keepRoles(context: Context, record: ServiceRecord): Promise<void> {
  try {
    const secrets = await context.admin.run(record, readRoleSecrets);
    context.store.services.setRoleSecrets(record.id, secrets);
  } catch (err) {
    // A server that does not answer must be stoppable, too.
    context.log.warn({ err, serviceId: record.id }, "unable to read the roles before the stop");
  }
}

/** Shows what is being done, for progress on the command line. */
function phase(context: Context, record: ServiceRecord, detail: string): void {
  context.store.services.observe(record.id, { stateDetail: detail });
  context.changes.emit("changed", record.id);
}

async function engineOf(context: Context, record: ServiceRecord, signal?: AbortSignal): Promise<Distribution> {
  return context.engines.ensure(record.definition.major, {
    prefer: record.engine,
    onProgress: (message) => phase(context, record, message),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function specOf(context: Context, record: ServiceRecord, signal?: AbortSignal): Promise<ServerSpec> {
  return serverSpec(context, record, await engineOf(context, record, signal));
}

/** Stopping must work even when the binaries are gone: it needs none of them. */
async function specForStop(context: Context, record: ServiceRecord): Promise<ServerSpec> {
  const distribution = await context.engines.resolve(record.definition.major, record.engine).catch((error: unknown) => {
    if (!isHowdahError(error)) throw error;
    return { kind: "system", major: record.definition.major, version: "", binDir: "", extensionDir: "" } as const;
  });
  return serverSpec(context, record, distribution);
}

async function makeCluster(context: Context, record: ServiceRecord, signal: AbortSignal): Promise<void> {
  await requireFreeSpace(context.layout.home, MIN_FREE_BYTES);
  const distribution = await engineOf(context, record, signal);
  phase(context, record, "initialising");
  const paths = context.layout.service(record.id);
  await prepareServiceFolders(paths, { uid: record.uid, socketGid: context.gatewayUid });
  const { initdbArgs } = record.definition;
  const taken =
    initdbArgs.length === 0 && (await context.pool.take({ distribution, dataDir: paths.data, uid: record.uid }));
  if (!taken) {
    await createCluster({
      distribution,
      poolDir: context.layout.pool,
      dataDir: paths.data,
      uid: record.uid,
      initdbArgs,
      log: context.log,
    });
  }
  context.store.services.patch(record.id, { engine: distribution.kind });
}

async function start(context: Context, record: ServiceRecord, signal: AbortSignal): Promise<void> {
  const { store, clean } = context;
  const spec = await specOf(context, record, signal);
  const fresh = record.provisioned === null;
  const knownClean = clean.delete(record.id);
  store.services.observe(record.id, { state: fresh ? "creating" : "waking", stateDetail: "starting" });
  context.changes.emit("changed", record.id);
  // Before the start, not after: a crash in between finds the server down and starts it again anyway.
  marks.applied.set(store, record.id, wantedOf(context, record));
  if (record.restartedFor !== record.restartWanted) {
    store.services.patch(record.id, { restartedFor: record.restartWanted });
  }
  const result = await startServer(spec, { log: context.log, signal, knownClean });
  const woken = knownClean && store.services.sleep(record.id).asleep;
  // Nothing is left to be done to it: clients need not wait until all of this is written down.
  if (woken && record.provisioned === credentialsOf(store, record)) await letClientsIn(context, record);
  store.meta.note(`service/${record.id}/version`, spec.distribution.version);
  const notices = record.definition.major <= 14 ? [endOfLifeNotice(record.definition.major)] : [];
  for (const refused of result.refused) {
    notices.push(`PostgreSQL refused to start with ${refused}; it runs on its last good settings`);
    store.events.append({ serviceId: record.id, kind: "settings-refused", message: refused });
    context.log.warn({ serviceId: record.id, refused }, "settings refused, last good ones used");
  }
  if (JSON.stringify(notices) !== JSON.stringify(record.notices)) store.services.observe(record.id, { notices });
  store.events.append({ serviceId: record.id, kind: "started", message: `ready after ${result.durationMs} ms` });
  // Before it went to sleep it let us in, and nobody was in since.
  if (!fresh && !woken) await ensureAdmin(context, record, spec, signal);
}

/** On a small machine our own work would take the processor from the server while it greets them. */
const PAPERWORK_AFTER_MS = 30;

async function letClientsIn({ gateway, sleep }: Context, record: ServiceRecord): Promise<void> {
  const opening = gateway.opened(record.id);
  sleep.running(record);
  await opening;
  await delay(PAPERWORK_AFTER_MS);
}

/** The user is a superuser and may have broken the platform's own role; without it nothing here works. */
async function ensureAdmin(context: Context, record: ServiceRecord, spec: ServerSpec, signal: AbortSignal) {
  if (!(await healAdmin(spec, context.log))) return;
  await startServer(spec, { log: context.log, signal });
  context.store.events.append({ serviceId: record.id, kind: "healed", message: "role howdah_admin was put right" });
}

async function reload(context: Context, record: ServiceRecord): Promise<void> {
  phase(context, record, "reloading the settings");
  marks.applied.set(context.store, record.id, wantedOf(context, record));
  await reloadServer(await specOf(context, record));
  context.store.events.append({ serviceId: record.id, kind: "reloaded", message: "settings reloaded" });
}

async function applyCredentials(context: Context, record: ServiceRecord): Promise<void> {
  const { store } = context;
  const spec = await specOf(context, record);
  phase(context, record, "setting role and database");
  // Read the number before the password: if both change meanwhile, the next round applies them again.
  const credentials = credentialsOf(store, record);
  const { username, database } = record.definition;
  await provision(spec, { username, database, password: store.services.password(record.id) });
  const scriptsToRun = record.provisioned === null && store.services.initScripts(record.id).length > 0;
  const kind = record.provisioned === null ? "provisioned" : "credentials-changed";
  store.events.append({ serviceId: record.id, kind, message: `role '${username}', database '${database}'` });
  // Last: from here on the service is not taken back any more when something fails, such as a disk that fills up.
  if (!scriptsToRun) store.services.patch(record.id, { provisioned: credentials });
  // Only now: while a user waits for this service, nothing else should use the machine.
  if (record.provisioned === null) context.pool.fill(spec.distribution);
}

/** Scripts of /docker-entrypoint-initdb.d run once on the fresh server, as its user; half of them is as none. */
async function initialise(context: Context, record: ServiceRecord, signal: AbortSignal): Promise<void> {
  const { store, layout } = context;
  const spec = await specOf(context, record, signal);
  const { username, database } = record.definition;
  const workDir = runFolder(layout.service(record.id).root, generatePassword(8));
  marks.initScriptsBegun.set(store, record.id, true);
  try {
    await runInitScripts({
      scripts: store.services.initScripts(record.id),
      connect: (name) => connectUser(spec, { username, password: store.services.password(record.id), database: name }),
      database,
      variables: {
        POSTGRES_USER: username,
        POSTGRES_DB: database,
        POSTGRES_PASSWORD: store.services.password(record.id),
        PGHOST: spec.paths.socket,
        PGPORT: String(SOCKET_PORT),
        PGUSER: username,
        PGDATABASE: database,
        PGPASSWORD: store.services.password(record.id),
        PGDATA: spec.paths.data,
      },
      uid: record.uid,
      workDir,
      onProgress: (message) => phase(context, record, message),
      log: context.log,
      signal,
    });
  } finally {
    await removeTree(workDir);
  }
  // In this order: a crash in between finds nothing more to run, and sets role and database once more.
  store.services.clearInitScripts(record.id);
  store.services.patch(record.id, { provisioned: credentialsOf(store, record) });
}
