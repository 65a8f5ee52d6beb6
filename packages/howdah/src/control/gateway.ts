/**
 * Control's side of the gateway: keeps it alive, tells it every endpoint, and answers for how many clients a service
 * has. Several workers may be there at once: one that accepts, and older ones that only serve what they have.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  type ControlHandlers,
  endGateway,
  type GatewayCalls,
  type GatewayPeer,
  GatewayServer,
  type GatewayStats,
  launchGateway,
  type ServerCertificate,
  type SessionInfo,
} from "../gateway/index.js";
import { HowdahError, isHowdahError } from "../kernel/errors.js";
import { backoffMs } from "../kernel/retry.js";
import { type ProcessIdentity, watchExit } from "../runtime/index.js";
import { effectiveSsl } from "../spec/index.js";
import type { ServiceRecord } from "../store/index.js";
import type { Base } from "./base.js";
import { endpointOf } from "./endpoints.js";
import type { GatewayView } from "./types.js";

/** A worker needs some 150 ms to start; a machine under load more. */
const READY_MS = 20_000;
const LAUNCH_MIN_MS = 100;
const LAUNCH_MAX_MS = 10_000;
/** A gateway that ran this long was well. */
const STEADY_MS = 10_000;
/** Details of sessions are only for people. */
const DETAILS_EVERY_MS = 1_000;

/** Told, whatever the answer: a worker that is gone is told everything when it, or the next one, comes. */
type Order = "open" | "close" | "remove" | "cancel";

interface Worker {
  readonly peer: GatewayPeer;
  readonly sessions: Map<number, number>;
  /** What it was told and did, by service; without `open`, which changes with every sleep. */
  readonly configured: Map<number, string>;
}

export interface GatewayOptions extends ControlHandlers {
  readonly version: string;
  readonly gid: number | null;
  readonly uid: number | null;
  readonly certificate: () => Promise<ServerCertificate>;
  /** Clients of a service came or went; all workers together. */
  readonly onActivity: (service: number, sessions: number) => void;
  /** An endpoint could not be had when everything was told anew. */
  readonly onLost: (service: number) => void;
}

export class Gateway {
  readonly #context: Base;
  readonly #o: GatewayOptions;
  readonly #server: GatewayServer;
  readonly #workers = new Map<GatewayPeer, Worker>();
  readonly #open = new Set<number>();
  readonly #details = new Map<number, { at: number; sessions: readonly SessionInfo[] }>();
  #active: Worker | null = null;
  #certified: { worker: Worker; certificate: ServerCertificate } | null = null;
  #waiting: ((worker: Worker) => void)[] = [];
  #launches = 0;
  #launchedAt = 0;
  #unwatch: (() => void) | null = null;
  #closed = false;

  constructor(context: Base, o: GatewayOptions) {
    this.#context = context;
    this.#o = o;
    this.#server = new GatewayServer({
      log: context.log,
      handlers: { verifier: o.verifier, wake: o.wake },
      onHello: (peer) => void this.#greet(peer),
      onActivity: (peer, service, sessions) => this.#activity(peer, service, sessions),
      onCancel: (peer, cancel) => this.#passOn(peer, cancel),
      onRefused: (_peer, refused) => this.#refused(refused),
      onGone: (peer) => this.#gone(peer),
    });
  }

  /** Begins to listen for workers and makes sure that there is one. Does not wait for it. */
  async start(): Promise<void> {
    await this.#server.listen(this.#context.layout.gatewaySocket, { gid: this.#o.gid });
    void this.#launch();
  }

  /** Whether the endpoint is listened for as it is wished for now. */
  listening(record: ServiceRecord): boolean {
    return this.#active?.configured.get(record.id) === fingerprint(this.#context, record);
  }

  /** Makes the gateway listen. Throws PORT_TAKEN, INVALID_INPUT, GATEWAY_UNREACHABLE. */
  async listen(record: ServiceRecord): Promise<void> {
    await this.#configure(await this.#ready(), record);
  }

  /** The server takes connections. */
  async opened(id: number): Promise<void> {
    this.#open.add(id);
    await this.#tellAll("open", { id });
  }

  /** From now on clients wait for `wake`. Resolves to the number of clients that are connected or about to be; with
   *  `unlessBusy` nothing changes when there are any, or when nobody can say. */
  async closed(id: number, options: { unlessBusy: boolean }): Promise<number> {
    const wasOpen = this.#open.delete(id);
    // All of them: during a handover two accept for a moment, and one that drains has sessions.
    const answers = [...this.#workers.values()].map(({ peer }) => peer.call("close", { id, ...options }));
    const counts = (await Promise.allSettled(answers)).map((answer) =>
      answer.status === "fulfilled" ? answer.value.sessions : null,
    );
    const sessions = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    if (!options.unlessBusy) return sessions;
    const nobodyKnows = this.#active === null || counts.includes(null);
    if (sessions === 0 && !nobodyKnows) return 0;
    if (wasOpen) await this.opened(id);
    return Math.max(1, sessions);
  }

  /** The server ended, or is about to: nothing is waited for. */
  markClosed(id: number): void {
    if (!this.#open.delete(id)) return;
    void this.#tellAll("close", { id, unlessBusy: false });
  }

  isOpen(id: number): boolean {
    return this.#open.has(id);
  }

  /** Gives the address up. */
  async remove(id: number): Promise<void> {
    this.#open.delete(id);
    this.#details.delete(id);
    for (const worker of this.#workers.values()) {
      worker.configured.delete(id);
      await this.#tell(worker, "remove", { id });
    }
  }

  /** Whether somebody is there who can say how many clients a service has. */
  get present(): boolean {
    return this.#active !== null;
  }

  sessions(id: number): number {
    let sum = 0;
    for (const worker of this.#workers.values()) sum += worker.sessions.get(id) ?? 0;
    return sum;
  }

  /** The clients of a service as last seen; at most a second old while there are any. */
  details(id: number): readonly SessionInfo[] {
    return this.sessions(id) === 0 ? [] : (this.#details.get(id)?.sessions ?? []);
  }

  async list(id: number | null): Promise<SessionInfo[]> {
    const lists = await Promise.all(
      [...this.#workers.values()].map((worker) => worker.peer.call("sessions", { service: id }).catch(unlessGone)),
    );
    return lists.flatMap((list) => list?.sessions ?? []);
  }

  async stats(): Promise<GatewayStats | null> {
    return (await this.#active?.peer.call("stats", {}).catch(unlessGone)) ?? null;
  }

  view(): GatewayView {
    const hello = this.#active?.peer.hello;
    return {
      pid: hello?.pid ?? null,
      version: hello?.version ?? null,
      startedAt: hello?.startedAt ?? null,
      draining: [...this.#workers.values()]
        .filter((worker) => worker !== this.#active)
        .map(({ peer, sessions }) => ({
          pid: peer.hello.pid,
          sessions: [...sessions.values()].reduce((a, b) => a + b, 0),
        })),
    };
  }

  /** A new worker takes the listeners over. Throws GATEWAY_UNREACHABLE. */
  async handOver(): Promise<GatewayView> {
    const before = await this.#ready();
    await before.peer.call("handover", {});
    const deadline = Date.now() + READY_MS;
    while (this.#active === null || this.#active === before) {
      if (Date.now() > deadline) throw new HowdahError("GATEWAY_UNREACHABLE", "the new gateway does not answer");
      await delay(10);
    }
    return this.view();
  }

  /** Another certificate is presented from now on. */
  async certificateChanged(): Promise<void> {
    this.#certified = null;
    if (this.#active !== null && this.#needsCertificate()) await this.#certify(this.#active);
  }

  /** Control is about to end: what clients need from here on, the next one answers. */
  leaveQuestions(): void {
    this.#server.leaveQuestions();
  }

  /** Stops talking to it; with `end` it is ended, too. */
  async close(options: { end: boolean }): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    await this.#server.close();
    if (options.end) await endGateway(this.#context.layout);
  }

  async #launch(): Promise<void> {
    if (this.#closed) return;
    const { layout, log, environment } = this.#context;
    this.#launchedAt = Date.now();
    try {
      const { uid, gid, version } = this.#o;
      const keeper = await launchGateway({ layout, uid, gid, version, log, logLevel: environment.logLevel });
      if (this.#closed) return;
      this.#unwatch = watchExit(keeper, () => this.#ended(keeper));
    } catch (err) {
      log.error({ err }, "unable to start the gateway");
      this.#launchLater();
    }
  }

  #ended(keeper: ProcessIdentity): void {
    this.#unwatch = null;
    this.#context.log.warn({ pid: keeper.pid }, "gateway ended unasked");
    this.#launchLater();
  }

  #launchLater(): void {
    if (this.#closed) return;
    if (Date.now() - this.#launchedAt > STEADY_MS) this.#launches = 0;
    const waitMs = this.#launches === 0 ? 0 : backoffMs(this.#launches, LAUNCH_MIN_MS, LAUNCH_MAX_MS);
    this.#launches++;
    setTimeout(() => void this.#launch(), waitMs);
  }

  async #greet(peer: GatewayPeer): Promise<void> {
    const { hello } = peer;
    const worker: Worker = {
      peer,
      sessions: new Map(hello.sessions.map(({ service, count }) => [service, count])),
      configured: new Map(),
    };
    this.#workers.set(peer, worker);
    this.#context.log.info({ pid: hello.pid, draining: hello.draining }, "gateway is here");
    for (const { service } of hello.sessions) this.#o.onActivity(service, this.sessions(service));
    if (hello.draining) {
      if (this.#active?.peer === peer) this.#active = null;
      return;
    }
    try {
      await this.#tellEverything(worker);
    } catch (err) {
      this.#context.log.warn({ err, pid: hello.pid }, "unable to tell the gateway its endpoints");
      peer.end();
      return;
    }
    if (!this.#workers.has(peer)) return;
    this.#active = worker;
    for (const resolve of this.#waiting.splice(0)) resolve(worker);
  }

  /** Endpoints that cannot be had are looked after one by one, by whoever looks after their service. */
  async #tellEverything(worker: Worker): Promise<void> {
    const { store } = this.#context;
    const records = store.services.list().filter((record) => record.desired !== "deleted");
    const known = new Set(records.map(({ id }) => id));
    for (const id of worker.peer.hello.listening) if (!known.has(id)) await worker.peer.call("remove", { id });
    await Promise.all(
      records.map(async (record) => {
        try {
          await this.#configure(worker, record);
        } catch (err) {
          if (isHowdahError(err, "GATEWAY_UNREACHABLE")) throw err;
          this.#context.log.warn({ err, serviceId: record.id }, "unable to listen for a service");
          this.#o.onLost(record.id);
        }
      }),
    );
  }

  async #configure(worker: Worker, record: ServiceRecord): Promise<void> {
    if (effectiveSsl(record.definition.endpoint) !== "off") await this.#certify(worker);
    const endpoint = endpointOf(this.#context, record, this.#open.has(record.id));
    const wanted = fingerprint(this.#context, record);
    try {
      await worker.peer.call("configure", endpoint);
    } catch (error) {
      throw listenError(error, endpoint);
    }
    worker.configured.set(record.id, wanted);
  }

  async #certify(worker: Worker): Promise<void> {
    const certificate = await this.#o.certificate();
    if (this.#certified?.worker === worker && this.#certified.certificate.cert === certificate.cert) return;
    await worker.peer.call("tls", certificate);
    this.#certified = { worker, certificate };
  }

  #needsCertificate(): boolean {
    return this.#context.store.services.list().some((r) => effectiveSsl(r.definition.endpoint) !== "off");
  }

  #ready(): Promise<Worker> {
    if (this.#active !== null) return Promise.resolve(this.#active);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((each) => each !== ready);
        reject(new HowdahError("GATEWAY_UNREACHABLE", "the gateway does not answer"));
      }, READY_MS);
      timer.unref();
      const ready = (worker: Worker) => {
        clearTimeout(timer);
        resolve(worker);
      };
      this.#waiting.push(ready);
    });
  }

  #activity(peer: GatewayPeer, service: number, sessions: number): void {
    const worker = this.#workers.get(peer);
    if (worker === undefined) return;
    if (sessions === 0) worker.sessions.delete(service);
    else worker.sessions.set(service, sessions);
    if (this.sessions(service) > 0) this.#lookAt(service);
    this.#o.onActivity(service, this.sessions(service));
  }

  /** So that `services show` can say at once who keeps it awake. */
  #lookAt(service: number): void {
    const known = this.#details.get(service);
    const now = Date.now();
    if (known !== undefined && now - known.at < DETAILS_EVERY_MS) return;
    this.#details.set(service, { at: now, sessions: known?.sessions ?? [] });
    this.list(service)
      .then((sessions) => this.#details.set(service, { at: now, sessions }))
      .catch((err: unknown) => this.#context.log.warn({ err }, "unable to list sessions"));
  }

  /** A worker that no longer listens has sessions that want to be cancelled, and the request comes in elsewhere. */
  #passOn(from: GatewayPeer, { service, pid, secret }: { service: number; pid: number; secret: string }): void {
    for (const worker of this.#workers.values()) {
      if (worker.peer !== from) void this.#tell(worker, "cancel", { id: service, pid, secret });
    }
  }

  #refused(refused: { service: number; reason: string; count: number; client: string; role: string | null }): void {
    const { store, log } = this.#context;
    if (store.services.get(refused.service) === undefined) return;
    const who = refused.role === null ? "" : ` as role '${refused.role}'`;
    const message = `${refused.count} × ${refused.reason} from ${refused.client}${who}`;
    try {
      store.events.append({ serviceId: refused.service, kind: "refused", message });
    } catch (err) {
      log.warn({ err, message }, "unable to write an event");
    }
  }

  #gone(peer: GatewayPeer): void {
    const worker = this.#workers.get(peer);
    if (worker === undefined) return;
    this.#workers.delete(peer);
    if (this.#active === worker) this.#active = null;
    if (this.#closed) return;
    for (const service of worker.sessions.keys()) this.#o.onActivity(service, this.sessions(service));
  }

  async #tellAll<K extends Order>(method: K, params: GatewayCalls[K]["params"]): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => this.#tell(worker, method, params)));
  }

  async #tell<K extends Order>(worker: Worker, method: K, params: GatewayCalls[K]["params"]): Promise<void> {
    try {
      await worker.peer.call(method, params);
    } catch (err) {
      this.#context.log.debug({ err, method }, "gateway did not answer");
    }
  }
}

function fingerprint(context: Pick<Base, "layout">, record: ServiceRecord): string {
  return JSON.stringify(endpointOf(context, record, false));
}

function unlessGone(error: unknown): null {
  if (isHowdahError(error, "GATEWAY_UNREACHABLE")) return null;
  throw error;
}

function listenError(error: unknown, endpoint: { host: string; port: number }): unknown {
  const code = (error as { code?: unknown }).code;
  const at = `${endpoint.host}:${endpoint.port}`;
  const options = { cause: error, fields: { port: endpoint.port } };
  switch (code) {
    case "EADDRINUSE":
      return new HowdahError("PORT_TAKEN", `port ${endpoint.port} is in use by another program`, options);
    case "EACCES":
      return new HowdahError("PORT_TAKEN", `the gateway may not listen on ${at}`, {
        ...options,
        hint: "Choose a port from 1024 on.",
      });
    case "EADDRNOTAVAIL":
      return new HowdahError("INVALID_INPUT", `this machine has no address ${endpoint.host}`, {
        ...options,
        hint: "Set listen to one of this machine's addresses, or to 0.0.0.0 for all of them.",
      });
    default:
      return error;
  }
}
