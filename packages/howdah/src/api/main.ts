/**
 * The control process: one per installation, held by the kernel's lock on `control.lock.db`. Loaded only by
 * `howdah server run`, since all of PostgreSQL's care and the web framework hang on it.
 */
import { readFileSync } from "node:fs";
import type { RequestListener, Server } from "node:http";
import { pino } from "pino";
import { type Control, createControl } from "../control/index.js";
import type { Environment } from "../kernel/environment.js";
import { errnoOf, HowdahError } from "../kernel/errors.js";
import { createLogger, type Logger } from "../kernel/log.js";
import { type Layout, layoutOf, prepareHome } from "../runtime/index.js";
import { acquireLock, openStore, type Store } from "../store/index.js";
import { buildApi } from "./app.js";
import { describeError } from "./error-log.js";
import { InFlight } from "./in-flight.js";
import { listenOnLoopback, listenOnSocket, stopListening, urlOf } from "./listen.js";
import { watchProcess } from "./process-events.js";
import { keepLogBounded, removeServerInfo, writeServerInfo } from "./server-files.js";
import { howdahVersion } from "./version.js";

/** How long requests under way may still take at the end, and then how long their answers may take to be read. */
const DRAIN_MS = 2_000;
const SHUTDOWN_PATH = "/api/server/shutdown";

/**
 * Runs the control process in the foreground until a signal or the API asks for its end; PostgreSQL servers outlive
 * it. Resolves to the exit code. Throws what keeps it from starting: SERVER_RUNNING, SERVER_PORT_TAKEN,
 * HOME_UNUSABLE, KEY_EXPOSED, KEY_WRONG, STATE_TOO_NEW, …
 */
export async function runServer(environment: Environment): Promise<number> {
  const layout = layoutOf(environment.home);
  const log = stderrLogger(environment);
  const ending = new Ending();
  using _process = watchProcess(log, () => void ending.ask({ all: false }));
  await prepareHome(layout, { isRoot: environment.isRoot });
  const lock = acquireLock(layout.lockDb);
  if (lock === null) {
    throw new HowdahError("SERVER_RUNNING", `a server of '${environment.home}' is running already`);
  }
  using _lock = lock;
  using _log = keepLogBounded(layout.serverLog, log);
  using store = openStore({ stateDb: layout.stateDb, encryptionKey: layout.encryptionKey });
  await serve({ environment, layout, log, store, lock, ending });
  return 0;
}

interface Parts {
  readonly environment: Environment;
  readonly layout: Layout;
  readonly log: Logger;
  readonly store: Store;
  readonly lock: Disposable;
  readonly ending: Ending;
}

/** What has been opened so far, in this order; closed in the other. */
interface Opened {
  readonly inFlight: InFlight;
  readonly servers: Server[];
  control?: Control;
}

/** Resolves when the end was asked for and is complete. */
async function serve(parts: Parts): Promise<void> {
  const opened: Opened = { inFlight: new InFlight(), servers: [] };
  try {
    await open(parts, opened);
    await parts.ending.asked;
  } finally {
    void parts.ending.ask({ all: false });
    await close(parts, opened);
  }
  parts.log.info("ended");
}

async function open({ environment, layout, log, store, ending }: Parts, opened: Opened): Promise<void> {
  const startedAt = Date.now();
  const version = howdahVersion();
  const routes = deferred<RequestListener>();
  const handler = opened.inFlight.counting(
    (request, response) => void routes.promise.then((route) => route(request, response)),
    (path) => path.startsWith(SHUTDOWN_PATH),
  );
  // The port first: when it is taken, nothing has been started yet. Early requests wait for the routes.
  const tcp = await listenOnLoopback(handler, environment.apiPort, { explicit: environment.apiPortExplicit });
  opened.servers.push(tcp);
  const url = urlOf(tcp);
  const control = await createControl({ version, environment, layout, store, log });
  opened.control = control;
  const api = await buildApi({
    control,
    log,
    version,
    info: () => ({ url, home: layout.home, pid: process.pid, startedAt }),
    recoveryKey: () => readFileSync(layout.encryptionKey, "utf8").trim(),
    shutdown: (options) => ending.ask(options),
    authenticate: (key) => control.keys.verify(key) !== undefined,
    closing: ending.signal,
  });
  await api.ready();
  routes.resolve((request, response) => api.routing(request, response));
  const started_at = new Date(startedAt).toISOString();
  await writeServerInfo(layout.serverInfo, { pid: process.pid, url, version, started_at }).catch((error: unknown) => {
    // A full disk is when the servers need somebody to look after them most.
    if (errnoOf(error) !== "ENOSPC") throw error;
    log.warn({ path: layout.serverInfo }, "no space left to write who this is");
  });
  // Last: whoever finds an answer there finds all the rest in its place.
  opened.servers.push(await listenOnSocket(handler, layout.apiSocket));
  tellAddress(environment, url, log);
}

async function close({ layout, log, store, lock, ending }: Parts, opened: Opened): Promise<void> {
  const problem = await stopControl(opened.control, ending, log);
  const closed = opened.servers.map((server) => stopListening(server, DRAIN_MS));
  await removeServerInfo(layout.serverInfo);
  await opened.inFlight.drained(DRAIN_MS);
  store[Symbol.dispose]();
  lock[Symbol.dispose]();
  // Only now may who asked for the end start the next server.
  ending.finish(problem);
  await Promise.all(closed);
}

/** What went wrong is told to who asked, and keeps the process from nothing: it ends all the same. */
async function stopControl(control: Control | undefined, ending: Ending, log: Logger): Promise<unknown> {
  try {
    await control?.close({ all: ending.all });
    return undefined;
  } catch (error) {
    log.error({ err: describeError(error) }, "control did not end in order");
    return error;
  }
}

function tellAddress(environment: Environment, url: string, log: Logger): void {
  const address = url.slice("http://".length);
  log.info({ address, version: howdahVersion() }, "ready");
  if (environment.apiPort !== 0 && !url.endsWith(`:${environment.apiPort}`)) {
    log.warn({ wanted: environment.apiPort, address }, "the default port is taken, another one is used");
  }
}

/** The wish to end: from a signal or from the API, once. */
class Ending {
  readonly #closing = new AbortController();
  readonly #asked = deferred<void>();
  readonly #finished = deferred<void>();
  #all = false;

  constructor() {
    // Whoever asked hears of a failure; a signal does not ask.
    this.#finished.promise.catch(() => undefined);
  }

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  get all(): boolean {
    return this.#all;
  }

  /** Resolves when sockets are closed and the lock is free. A later caller joins, and may still ask for more. */
  ask(options: { all: boolean }): Promise<void> {
    this.#all ||= options.all;
    this.#closing.abort();
    this.#asked.resolve();
    return this.#finished.promise;
  }

  finish(error: unknown): void {
    if (error === undefined) this.#finished.resolve();
    else this.#finished.reject(error);
  }
}

/** Synchronous, so that the last words before an end are written. */
function stderrLogger(environment: Environment): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  // Nobody reads the log any more: no reason to end.
  destination.on("error", () => undefined);
  return createLogger(environment.logLevel, destination);
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
