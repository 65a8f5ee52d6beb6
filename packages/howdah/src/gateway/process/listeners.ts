/**
 * Every endpoint's listening socket, by service. The keeper holds a duplicate of each, so that one outlives this worker;
 * those that an earlier worker made are taken from there, and never bound a second time.
 */
import { createServer, isIP, isIPv6, type Server, type Socket, SocketAddress } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import type { Endpoint } from "../link/contract.js";
import { LinkFailure } from "../link/failure.js";
import type { ListenerHandle } from "./keeper-messages.js";

/** As much as Linux admits by default (net.core.somaxconn): a thundering herd queues instead of being refused. */
const BACKLOG = 4_096;
/** Who held the address may just be letting go of it: our own older listener, or a worker whose keeper died. */
const BIND_PATIENCE_MS = 2_000;
const BIND_EVERY_MS = 10;
const COMPLAIN_EVERY_MS = 10_000;

export interface ListenersOptions {
  readonly log: Logger;
  /** Resolves when somebody else holds the bound socket, too. */
  readonly hold: (service: number, handle: ListenerHandle) => Promise<void>;
  /** Resolves when nobody else holds the service's socket. */
  readonly drop: (service: number) => Promise<void>;
  /** `endpoint`: as it is now; undefined when it was removed. */
  readonly onConnection: (socket: Socket, endpoint: () => Endpoint | undefined) => void;
}

interface Listener {
  /** Its address is the one that is bound. */
  endpoint: Endpoint;
  /** Null: from another worker, and nobody takes connections here yet. */
  server: Server | null;
  handle: ListenerHandle;
}

export class Listeners {
  readonly #options: ListenersOptions;
  readonly #listeners = new Map<number, Listener>();
  /** Given by the keeper; control has not described their endpoints yet. */
  readonly #inherited = new Map<number, ListenerHandle>();
  /** One change at a time for each service. */
  readonly #changes = new Map<number, Promise<void>>();
  #accepts = false;
  #stopped = false;
  #complainedAt = 0;
  /** Young workers may find that an orphaned one has not let go yet. */
  readonly #startedAt = Date.now();

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Services whose address is bound, described or not. */
  get services(): number[] {
    if (this.#stopped) return [];
    return [...new Set([...this.#listeners.keys(), ...this.#inherited.keys()])];
  }

  endpoint(service: number): Endpoint | undefined {
    return this.#listeners.get(service)?.endpoint;
  }

  /** The server of a service takes connections, or does not. */
  setOpen(service: number, open: boolean): void {
    const listener = this.#listeners.get(service);
    if (listener !== undefined) listener.endpoint = { ...listener.endpoint, open };
  }

  inherit(service: number, handle: ListenerHandle): void {
    // One that we have is the same or newer.
    if (this.#stopped || this.#listeners.has(service)) {
      handle.close();
      return;
    }
    this.#inherited.get(service)?.close();
    this.#inherited.set(service, handle);
  }

  /** From now on connections are taken. */
  accept(): void {
    if (this.#accepts || this.#stopped) return;
    this.#accepts = true;
    for (const listener of this.#listeners.values()) this.#open(listener);
  }

  /** Takes no more connections, for good. What others hold of the same sockets stays. */
  stop(): void {
    this.#stopped = true;
    for (const listener of this.#listeners.values()) closeListener(listener);
    for (const handle of this.#inherited.values()) handle.close();
    this.#inherited.clear();
  }

  /** Listens at the endpoint's address, or moves there. When that fails the old address stays, with all else of the new
   *  endpoint. Throws a LinkFailure: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
  configure(endpoint: Endpoint): Promise<void> {
    return this.#inTurn(endpoint.id, () => this.#configure(endpoint));
  }

  remove(service: number): Promise<void> {
    return this.#inTurn(service, () => this.#remove(service));
  }

  async #configure(endpoint: Endpoint): Promise<void> {
    const { id, host, port } = endpoint;
    const listener = this.#listeners.get(id) ?? (await this.#adopt(endpoint));
    if (listener === null) {
      await this.#listen(endpoint);
      return;
    }
    const at = { host: listener.endpoint.host, port: listener.endpoint.port };
    listener.endpoint = { ...endpoint, ...at };
    if (this.#stopped || (at.host === host && at.port === port)) return;
    if (at.port === port) await this.#moveWithinPort(listener, endpoint);
    else {
      // The keeper lets go of the old one when it is given the new one.
      await this.#listen(endpoint);
      closeListener(listener);
    }
  }

  /** The same port on another address often is no other port (0.0.0.0 and 127.0.0.1): the old listener has to go first. */
  async #moveWithinPort(listener: Listener, endpoint: Endpoint): Promise<void> {
    const { id } = endpoint;
    closeListener(listener);
    this.#listeners.delete(id);
    await this.#options.drop(id);
    try {
      await this.#listen(endpoint, BIND_PATIENCE_MS);
    } catch (error) {
      await this.#listen(listener.endpoint, BIND_PATIENCE_MS);
      throw error;
    }
  }

  /** What the keeper gave us for the service. The socket itself says where it listens; elsewhere than control says, it
   *  is of no use, whoever made it. */
  async #adopt(endpoint: Endpoint): Promise<Listener | null> {
    const handle = this.#inherited.get(endpoint.id);
    if (handle === undefined) return null;
    this.#inherited.delete(endpoint.id);
    if (!isAt(handle, endpoint)) {
      handle.close();
      await this.#options.drop(endpoint.id);
      return null;
    }
    const listener: Listener = { endpoint, server: null, handle };
    this.#listeners.set(endpoint.id, listener);
    if (this.#accepts) this.#open(listener);
    return listener;
  }

  #open(listener: Listener): void {
    if (listener.server !== null) return;
    const server = this.#server(listener.endpoint.id);
    listener.server = server;
    this.#outliveErrors(server, listener.endpoint.id);
    server.listen(listener.handle, BACKLOG);
  }

  async #listen(endpoint: Endpoint, patienceMs = this.#patience()): Promise<void> {
    const server = await this.#bind(endpoint, patienceMs);
    const { _handle: handle } = server as unknown as { _handle: ListenerHandle };
    if (this.#stopped) {
      server.close();
      throw new LinkFailure("INTERNAL", "this gateway drains");
    }
    this.#listeners.set(endpoint.id, { endpoint, server, handle });
    await this.#options.hold(endpoint.id, handle);
  }

  async #bind(endpoint: Endpoint, patienceMs: number): Promise<Server> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        return await this.#tryToBind(endpoint);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno !== "EADDRINUSE" || Date.now() >= deadline) {
          const { host, port } = endpoint;
          const why = error instanceof Error ? error.message : String(error);
          throw new LinkFailure(errno ?? "INTERNAL", `unable to listen on ${host}:${port}: ${why}`, null, {
            cause: error,
          });
        }
        await delay(BIND_EVERY_MS);
      }
    }
  }

  #tryToBind({ id, host, port }: Endpoint): Promise<Server> {
    return new Promise((resolve, reject) => {
      const server = this.#server(id);
      server.once("error", reject);
      server.listen({ host, port, backlog: BACKLOG, exclusive: true }, () => {
        server.off("error", reject);
        this.#outliveErrors(server, id);
        resolve(server);
      });
    });
  }

  #server(service: number): Server {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    server.on("connection", (socket) => this.#options.onConnection(socket, () => this.endpoint(service)));
    return server;
  }

  /** Out of descriptors, say: the connection is lost, the listener is not. */
  #outliveErrors(server: Server, service: number): void {
    server.on("error", (err) => {
      const now = Date.now();
      if (now - this.#complainedAt < COMPLAIN_EVERY_MS) return;
      this.#complainedAt = now;
      this.#options.log.error({ err, serviceId: service }, "unable to take a connection");
    });
  }

  async #remove(service: number): Promise<void> {
    const listener = this.#listeners.get(service);
    if (listener !== undefined) closeListener(listener);
    this.#listeners.delete(service);
    this.#inherited.get(service)?.close();
    this.#inherited.delete(service);
    await this.#options.drop(service);
  }

  #patience(): number {
    return Math.max(0, this.#startedAt + BIND_PATIENCE_MS - Date.now());
  }

  #inTurn(service: number, change: () => Promise<void>): Promise<void> {
    const before = this.#changes.get(service) ?? Promise.resolve();
    const result = before.then(change);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#changes.set(service, settled);
    void settled.then(() => {
      if (this.#changes.get(service) === settled) this.#changes.delete(service);
    });
    return result;
  }
}

/** Connections that were taken go on. */
function closeListener(listener: Listener): void {
  if (listener.server === null) listener.handle.close();
  else listener.server.close();
}

function isAt(handle: ListenerHandle, { host, port }: Endpoint): boolean {
  const out: { address?: string; port?: number } = {};
  if (handle.getsockname(out) !== 0 || out.address === undefined || isIP(host) === 0) return false;
  const family = isIPv6(host) ? "ipv6" : "ipv4";
  // IPv6 addresses can be written in many ways.
  return out.port === port && out.address === new SocketAddress({ address: host, family }).address;
}
