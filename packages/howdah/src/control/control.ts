/** Puts the control plane together and starts it: sweeps what a crash left, adopts what still runs, keeps the wishes. */
import { EventEmitter } from "node:events";
import { availableParallelism } from "node:os";
import type { Environment } from "../kernel/environment.js";
import { HowdahError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import { checkConfigName, checkName } from "../kernel/names.js";
import { createEngines, createPool, endStrayServers, observeServer, pruneLogs, stopServer } from "../postgres/index.js";
import { claimUid, type Layout, reclaimUids } from "../runtime/index.js";
import { DEFAULT_MAJOR } from "../spec/index.js";
import type { Store } from "../store/index.js";
import { Allocator } from "./allocate.js";
import { type Context, titleOf } from "./context.js";
import { DataSizes } from "./data-sizes.js";
import { doctor } from "./doctor.js";
import { engineControl } from "./engines.js";
import { environmentOf, listProjects } from "./projects.js";
import { markDown, Reconciler } from "./reconciler.js";
import { Services } from "./services.js";
import { Stacks } from "./stacks.js";
import { purgeExpired } from "./trash.js";
import { trashControl } from "./trash-control.js";
import type { Control } from "./types.js";
import { Views } from "./views.js";

const PURGE_EVERY_MS = 3_600_000;
/** PostgreSQL begins new log files but never removes one. */
const PRUNE_LOGS_EVERY_MS = 60_000;
/** Services that are worked on at once. Not too few: one may spend minutes in its recovery, and others crash meanwhile. */
const MIN_PARALLEL = 8;
/** The pool is filled behind the user's back: not while the first service of a fresh installation is being made. */
const POOL_DELAY_MS = 2_000;

interface ControlOptions {
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
  const context: Context = { environment, layout, store, log, engines, pool, changes: new EventEmitter() };
  context.changes.setMaxListeners(0);
  const reconciler = new Reconciler(context, { parallel: Math.max(MIN_PARALLEL, availableParallelism() * 2) });
  const allocator = new Allocator(context);
  const sizes = new DataSizes(context);
  const views = new Views(context, reconciler, sizes);
  const services = new Services(context, reconciler, allocator, views);
  const stacks = new Stacks(context, reconciler, allocator, services);

  await pool.sweep();
  await sweep(context);
  for (const record of store.services.list()) {
    const { kind } = await observeServer({ paths: layout.service(record.id), uid: record.uid });
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
    events: (filter) => store.events.list(filter),
    doctor: () => doctor(context),
    close: async ({ all }) => {
      for (const timer of timers) clearTimeout(timer);
      sizes[Symbol.dispose]();
      await reconciler.close();
      await pool.close();
      if (all) await stopAll(context);
    },
  };
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
async function keepUidsApart({ store, layout, log }: Context): Promise<void> {
  const lost = new Set(await reclaimUids({ home: layout.home, used: store.services.uids() }));
  for (const { id, uid } of store.services.list()) {
    if (uid === null || !lost.has(uid)) continue;
    const next = await claimUid({ home: layout.home, taken: store.services.uids() });
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
