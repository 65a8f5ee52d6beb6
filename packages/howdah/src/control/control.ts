/** Puts the control plane together and starts it: sweeps what a crash left, adopts what still runs, keeps the wishes. */
import { EventEmitter } from "node:events";
import { availableParallelism } from "node:os";
import type { Environment } from "../kernel/environment.js";
import { HowdahError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import { checkConfigName, checkName } from "../kernel/names.js";
import {
  AdminSessions,
  createEngines,
  createPool,
  endStrayServers,
  observeServer,
  placesWithoutProcesses,
  pruneLogs,
  stopServer,
} from "../postgres/index.js";
import { claimUid, type Layout, reclaimUids } from "../runtime/index.js";
import { DEFAULT_MAJOR } from "../spec/index.js";
import type { Store } from "../store/index.js";
import { AdminWork } from "./admin-work.js";
import { Allocator } from "./allocate.js";
import { Certificates } from "./certificates.js";
import { connectionView, letIn } from "./clients.js";
import { type Context, takenUids, titleOf } from "./context.js";
import { DataSizes } from "./data-sizes.js";
import { doctor } from "./doctor.js";
import { engineControl } from "./engines.js";
import { Gateway } from "./gateway.js";
import { environmentOf, listProjects } from "./projects.js";
import { markDown, Reconciler } from "./reconciler.js";
import { Services } from "./services.js";
import { Sleep } from "./sleep.js";
import { Stacks } from "./stacks.js";
import { purgeExpired } from "./trash.js";
import { trashControl } from "./trash-control.js";
import type { Control } from "./types.js";
import { verifierOf } from "./verifiers.js";
import { Views } from "./views.js";

const PURGE_EVERY_MS = 3_600_000;
/** PostgreSQL begins new log files but never removes one. */
const PRUNE_LOGS_EVERY_MS = 60_000;
/** Services that are worked on at once. Not too few: one may spend minutes in its recovery, and others crash meanwhile. */
const MIN_PARALLEL = 8;
/** The pool is filled behind the user's back: not while the first service of a fresh installation is being made. */
const POOL_DELAY_MS = 2_000;

/** How often the certificate is looked at, which lasts a year. */
const RENEW_EVERY_MS = 12 * 3_600_000;
const GATEWAY_UID = "gateway/uid";

interface ControlOptions {
  /** Howdah's own, for the gateway to be told apart from a newer one. */
  readonly version: string;
  readonly environment: Environment;
  readonly layout: Layout;
  readonly store: Store;
  readonly log: Logger;
}

export async function createControl(options: ControlOptions): Promise<Control> {
  const { environment, layout, store } = options;
  const log = options.log.child({ component: "control" });
  const engines = createEngines({ engines: layout.engines, log });
  const pool = createPool({ poolDir: layout.pool, size: environment.poolSize, log });
  const changes: Context["changes"] = new EventEmitter();
  changes.setMaxListeners(0);
  const gatewayUid = environment.isRoot ? await claimGatewayUid(layout, store) : null;
  const certificates = new Certificates(store, () => gateway.certificateChanged());
  const gateway: Gateway = new Gateway(
    { environment, layout, store, log },
    {
      version: options.version,
      uid: gatewayUid,
      gid: gatewayUid,
      certificate: () => certificates.server(),
      verifier: ({ service, role }) => verifierOf(context, service, role),
      wake: ({ service, failed }) => letIn(context, reconciler, service, failed !== null),
      onActivity: (service, sessions) => sleep.activity(service, sessions),
      onLost: (service) => reconciler.kick(service),
    },
  );
  const sleep: Sleep = new Sleep({ environment, layout, store, log, gateway }, (id) => reconciler.kick(id));
  const sessions = new AdminSessions();
  const admin = new AdminWork({ environment, layout, store, log }, sessions);
  const context: Context = {
    ...{ environment, layout, store, log, engines, pool, changes, gateway, gatewayUid, sleep, sessions, admin },
    clean: new Set(),
  };
  const reconciler: Reconciler = new Reconciler(context, {
    parallel: Math.max(MIN_PARALLEL, availableParallelism() * 2),
  });
  const allocator = new Allocator(context);
  const sizes = new DataSizes(context);
  const views = new Views(context, reconciler, sizes);
  const services = new Services(context, reconciler, allocator, views);
  const stacks = new Stacks(context, reconciler, allocator, services);

  await pool.sweep();
  await sweep(context);
  await gateway.start();
  await noteClean(context);
  for (const record of store.services.list()) {
    const place = { paths: layout.service(record.id), uid: record.uid };
    const { kind } = await observeServer(place, { knownClean: context.clean.has(record.id) });
    if (kind !== "ready") markDown(context, record.id);
    reconciler.kick(record.id);
  }
  const timers = [
    setInterval(() => {
      purgeExpired(context, Date.now()).catch((err: unknown) => log.error({ err }, "unable to purge the trash"));
    }, PURGE_EVERY_MS),
    setInterval(() => {
      pruneAllLogs(context);
    }, PRUNE_LOGS_EVERY_MS),
    setInterval(() => {
      renew(certificates, gateway).catch((err: unknown) => log.error({ err }, "unable to renew the certificate"));
    }, RENEW_EVERY_MS),
    setTimeout(() => {
      fillPool(context).catch((err: unknown) => log.warn({ err }, "unable to fill the pool"));
    }, POOL_DELAY_MS),
  ];
  for (const timer of timers) timer.unref();

  return {
    services,
    stacks,
    projects: {
      list: () => listProjects(context),
      apps: (project) => store.apps.list(project),
      environment: (project, name) => environmentOf(context, project, name),
    },
    configs: {
      set: (project, name, value, { ifNotSet }) =>
        store.configs.set(checkName(project, "project"), checkConfigName(name), value, { ifNotSet }),
      list: (project) => store.configs.list(project),
      remove: (project, name) => {
        if (!store.configs.remove(project, name)) {
          throw new HowdahError("CONFIG_NOT_FOUND", `config '${name}' is not set in project '${project}'`);
        }
      },
    },
    engines: engineControl(context),
    trash: trashControl(context, reconciler, services),
    keys: {
      create: (name) => store.apiKeys.create(checkName(name, "api key")),
      list: () => store.apiKeys.list(),
      remove: (id) => {
        if (!store.apiKeys.remove(id)) throw new HowdahError("API_KEY_NOT_FOUND", `api key ${id} does not exist`);
      },
      verify: (key) => store.apiKeys.verify(key),
    },
    connections: async (serviceId) =>
      (await gateway.list(serviceId ?? null)).flatMap((s) => connectionView(context, s)),
    gateway: { view: () => gateway.view(), restart: () => gateway.handOver() },
    measurements: async () => ({
      services: services.list(),
      gateway: await gateway.stats(),
      wakes: sleep.histogram(),
    }),
    certificates: certificates.control,
    events: (filter) => store.events.list(filter),
    doctor: () => doctor(context),
    close: async ({ all }) => {
      gateway.leaveQuestions();
      for (const timer of timers) clearTimeout(timer);
      sizes[Symbol.dispose]();
      sleep.close();
      await reconciler.close();
      await context.sessions[Symbol.asyncDispose]();
      await pool.close();
      if (all) await stopAll(context);
      // Without `all` it goes on: servers that run are reached as before.
      await gateway.close({ end: all });
    },
  };
}

/** The gateway's own user as root, claimed like a service's, once for the installation. */
async function claimGatewayUid(layout: Layout, store: Store): Promise<number> {
  const known = Number(store.meta.get(GATEWAY_UID) ?? "");
  const used = store.services.uids();
  if (Number.isInteger(known) && known > 0) {
    const lost = await reclaimUids({ home: layout.home, used: new Set([...used, known]) });
    if (!lost.includes(known)) return known;
  }
  const uid = await claimUid({ home: layout.home, taken: used });
  store.meta.set(GATEWAY_UID, String(uid));
  return uid;
}

/** A thousand that sleep are known to have no process by one look at all processes instead of one each. */
async function noteClean({ store, layout, clean }: Context): Promise<void> {
  const places = store.services.list().map(({ id, uid }) => ({ id, uid, paths: layout.service(id) }));
  for (const id of placesWithoutProcesses(places)) clean.add(id);
}

async function renew(certificates: Certificates, gateway: Gateway): Promise<void> {
  if (await certificates.renewalDue()) await gateway.certificateChanged();
}

/** Ends what no row speaks of: servers whose service is gone, expired trash, claims of user ids. */
async function sweep(context: Context): Promise<void> {
  const { store, layout, environment, log } = context;
  const known = new Set(store.services.list().map((r) => r.id));
  const ended = await endStrayServers({ layout, known, log });
  if (ended > 0) log.warn({ ended }, "servers of no known service ended");
  await purgeExpired(context, Date.now());
  if (environment.isRoot) await keepUidsApart(context);
}

/** In a copy of a home, or one that was away for long, services may have the users of another home's. Under those they
 *  could read each other's files, and ending what is left of one would end the other. */
async function keepUidsApart(context: Context): Promise<void> {
  const { store, layout, log } = context;
  const used = takenUids(context);
  const lost = new Set(await reclaimUids({ home: layout.home, used }));
  for (const { id, uid } of store.services.list()) {
    if (uid === null || !lost.has(uid)) continue;
    const next = await claimUid({ home: layout.home, taken: used });
    used.add(next);
    store.services.patch(id, { uid: next });
    log.warn({ serviceId: id, lost: uid, uid: next }, "another home has the service's user, a new one is taken");
  }
}

function pruneAllLogs({ store, layout, log }: Context): void {
  for (const record of store.services.list()) {
    if (record.state !== "running") continue;
    try {
      pruneLogs(layout.service(record.id));
    } catch (err) {
      log.error({ err, serviceId: record.id }, "unable to prune the logs");
    }
  }
}

async function fillPool({ engines, pool }: Context): Promise<void> {
  const bundled = (await engines.list()).some((e) => e.major === DEFAULT_MAJOR && e.installed);
  if (bundled) pool.fill(await engines.resolve(DEFAULT_MAJOR));
}

/** `server stop --all`: the wishes stay, so the next start brings every server back. */
async function stopAll(context: Context): Promise<void> {
  const { store, layout, log } = context;
  await Promise.all(
    store.services.list().map(async (record) => {
      log.info({ service: titleOf(record) }, "stopping server");
      const server = { paths: layout.service(record.id), uid: record.uid, title: titleOf(record) };
      await stopServer(server, { mode: "fast", timeoutMs: 60_000, log });
    }),
  );
}
