import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { type Clock, systemClock } from "../../kernel/clock.js";
import type { Logger } from "../../kernel/log.js";
import type { RoleSecret } from "../../spec/index.js";
import type { ControlCalls, Endpoint, GatewayStats, RefusalReason, SessionInfo } from "../link/contract.js";
import { Activity } from "./activity.js";
import { CANCEL_MS, CancelTable, forwardCancel } from "./cancel-table.js";
import { Gate } from "./gate.js";
import { defaultLimits, type Limits } from "./limits.js";
import { peerOf } from "./peer.js";
import { RefusalDelay } from "./refusal-delay.js";
import { Service } from "./service.js";
import { Session } from "./session.js";
import type { Shared } from "./shared.js";
import { makeTlsIdentity, type TlsIdentity } from "./tls-identity.js";
import { Verifiers } from "./verifiers.js";

export interface Refusal {
  readonly service: number;
  readonly reason: RefusalReason;
  /** The address alone, without a port. */
  readonly client: string;
  /** Null when it had not said yet who it is. */
  readonly role: string | null;
}

export interface SessionsOptions {
  readonly control: {
    /** Rejects with an error whose `code` is an SQLSTATE when control answered with one; with anything else when
     *  control is away, and then it is asked again while clients wait. */
    verifier(service: number, role: string): Promise<RoleSecret | null>;
    wake(request: ControlCalls["wake"]["params"]): Promise<void>;
  };
  readonly log: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  /** Makes the answers for roles that do not exist the same from one worker to the next; 32 random bytes that the
   *  installation keeps. Without it such a role gets another salt when the worker is another one. */
  readonly mockSecret?: Buffer;
  /** Authenticated sessions of a service; already thinned out as `GatewayNotices.activity` says. */
  onActivity(service: number, sessions: number): void;
  /** A request to cancel that fits no session of this worker; `secret` in hexadecimal. */
  onStrayCancel?(request: { readonly service: number; readonly pid: number; readonly secret: string }): void;
  /** Each refusal by itself; the caller gathers them. */
  onRefused(refusal: Refusal): void;
}

/** Everything that the connections of one gateway worker share. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #shared: Shared;
  readonly #all = new Set<Session>();
  /** In the order in which they came: the first is the oldest. */
  readonly #unauthenticated = new Set<Session>();
  readonly #services = new Map<number, Service>();
  readonly #activity: Activity;
  readonly #refused: Record<RefusalReason, number> = {
    protocol: 0,
    timeout: 0,
    overload: 0,
    network: 0,
    tls: 0,
    password: 0,
    role: 0,
    "hold-limit": 0,
    unavailable: 0,
  };
  readonly #counts = { accepted: 0, loggedIn: 0, cancels: 0, bytesFromClients: 0, bytesToClients: 0 };
  #tls: TlsIdentity | null = null;
  #awaitingEnd: (() => void)[] = [];
  #awayLoggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...defaultLimits(), ...options.limits };
    this.#activity = new Activity((service, sessions) => options.onActivity(service, sessions));
    this.#shared = this.#share();
  }

  /** Takes a connection over. The socket comes from a listener with `pauseOnConnect`, `allowHalfOpen` and `noDelay`; an
   *  endpoint that may change while the client is here is given as a function. */
  accept(socket: Socket, endpoint: Endpoint | (() => Endpoint | undefined)): void {
    const latest = typeof endpoint === "function" ? endpoint : () => endpoint;
    const now = latest();
    const peer = peerOf(socket);
    if (now === undefined || peer === null) {
      // Gone before it was looked at; an error that is still to come is nobody's.
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    this.#counts.accepted += 1;
    const session: Session = new Session(this.#shared, {
      number: this.#counts.accepted,
      socket,
      peer,
      endpoint: now,
      latest,
      onAuthenticated: (service) => {
        this.#unauthenticated.delete(session);
        this.#counts.loggedIn += 1;
        this.#activity.changed(service.id, service.sessions.size);
      },
    });
    this.#all.add(session);
    this.#unauthenticated.add(session);
    void session.run().finally(() => this.#ended(session));
    this.#makeRoom();
  }

  /** The server of a service takes connections, or does not. */
  setOpen(service: number, open: boolean): void {
    this.#service(service, open).gate.setOpen(open);
  }

  /** `GatewayCalls.close`, all of it in one turn of the event loop. Answers the sessions that are connected or on their
   *  way. */
  close(service: number, o: { readonly unlessBusy: boolean }): number {
    return this.#service(service, false).gate.close(o);
  }

  /** Certificate chain and key in PEM, for connections from now on; null: no TLS. Throws when OpenSSL refuses them. */
  setTls(certificate: { readonly cert: string; readonly key: string } | null): void {
    this.#tls = certificate === null ? null : makeTlsIdentity(certificate);
  }

  /** Authenticated sessions, of one service or (null) of all. */
  list(service: number | null): SessionInfo[] {
    const services = service === null ? [...this.#services.values()] : [this.#services.get(service)];
    return services.flatMap((one) => [...(one?.sessions ?? [])].map((session) => session.info));
  }

  /** Authenticated sessions by service id, for `GatewayHello`; services without any are left out. */
  get byService(): { readonly service: number; readonly count: number }[] {
    return [...this.#services.values()]
      .filter(({ sessions }) => sessions.size > 0)
      .map(({ id, sessions }) => ({ service: id, count: sessions.size }));
  }

  /** As a CancelRequest that came in here; `secret` in hexadecimal. */
  async cancel(service: number, pid: number, secret: string): Promise<void> {
    const key = Buffer.from(secret, "hex");
    const socketPath = this.#shared.cancels.find(service, pid, key);
    if (socketPath === null) return;
    this.#counts.cancels += 1;
    await forwardCancel(socketPath, { pid, secret: key, timeoutMs: CANCEL_MS });
  }

  /** `byService`, for control: it counts as told. */
  tellAll(): { readonly service: number; readonly count: number }[] {
    const all = this.byService;
    for (const { service, count } of all) this.#activity.told(service, count);
    return all;
  }

  stats(): Omit<GatewayStats, "rss"> {
    let { bytesFromClients, bytesToClients } = this.#counts;
    for (const { copied } of this.#all) {
      bytesFromClients += copied.fromClient;
      bytesToClients += copied.toClient;
    }
    return {
      ...this.#counts,
      bytesFromClients,
      bytesToClients,
      unauthenticated: this.#unauthenticated.size,
      refused: { ...this.#refused },
    };
  }

  /** Every connection that has not ended, strangers included. */
  get count(): number {
    return this.#all.size;
  }

  /** Resolves as soon as there is no connection. */
  get drained(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#awaitingEnd.push(resolve));
  }

  /** Ends every connection at once. */
  endAll(): void {
    for (const session of this.#all) session.drop("the gateway ends", null);
  }

  /** What is known of a removed service goes, unless it still has sessions. */
  forget(service: number): void {
    const known = this.#services.get(service);
    if (known?.sessions.size === 0) this.#services.delete(service);
  }

  #share(): Shared {
    const onAway = (error: unknown) => this.#controlAway(error);
    const verifiers = new Verifiers({
      ask: (service, role) => this.#options.control.verifier(service, role),
      clock: this.#clock,
      patienceMs: this.#limits.verifierMs,
      onAway,
    });
    const tls = () => this.#tls;
    return {
      limits: this.#limits,
      clock: this.#clock,
      log: this.#options.log,
      verifiers,
      delays: new RefusalDelay({
        clock: this.#clock,
        addresses: this.#limits.refusedAddresses,
        waiting: this.#limits.waitingRefusals,
      }),
      cancels: new CancelTable(),
      mockSecret: this.#options.mockSecret ?? randomBytes(32),
      get tls() {
        return tls();
      },
      service: (endpoint) => this.#service(endpoint.id, endpoint.open),
      left: (service) => this.#activity.changed(service.id, service.sessions.size),
      cancelled: () => {
        this.#counts.cancels += 1;
      },
      strayCancel: (service, pid, secret) =>
        this.#options.onStrayCancel?.({ service, pid, secret: secret.toString("hex") }),
      copied: (bytes) => {
        this.#counts.bytesFromClients += bytes.fromClient;
        this.#counts.bytesToClients += bytes.toClient;
      },
      refused: (refusal) => {
        this.#refused[refusal.reason] += 1;
        this.#options.onRefused(refusal);
      },
    };
  }

  #service(id: number, open: boolean): Service {
    const known = this.#services.get(id);
    if (known !== undefined) return known;
    const gate = new Gate(open, {
      wake: (request) => this.#options.control.wake(request),
      sleep: (ms) => this.#clock.sleep(ms),
      onAway: (error) => this.#controlAway(error),
    });
    const service = new Service(id, gate, this.#limits);
    this.#services.set(id, service);
    return service;
  }

  /** The newest stays: whoever keeps sockets open without a word makes room for who comes. */
  #makeRoom(): void {
    if (this.#unauthenticated.size <= this.#limits.unauthenticated) return;
    for (const oldest of this.#unauthenticated) {
      this.#unauthenticated.delete(oldest);
      oldest.drop("too many clients that have not logged in", "overload");
      return;
    }
  }

  #ended(session: Session): void {
    this.#all.delete(session);
    this.#unauthenticated.delete(session);
    if (this.#all.size > 0) return;
    for (const resolve of this.#awaitingEnd.splice(0)) resolve();
  }

  /** Once a while is enough: every waiting client would say the same. */
  #controlAway(error: unknown): void {
    const now = this.#clock.now();
    if (now - this.#awayLoggedAt < 5_000) return;
    this.#awayLoggedAt = now;
    this.#options.log.warn({ err: error }, "control does not answer");
  }
}
