/**
 * Control's end of the link: listens for gateway workers, of which there may be several at once (one that accepts,
 * others that only serve what they have). A worker reads bytes from strangers and may have been taken over by one, so
 * everything that it says is checked, and whoever breaks the rules is cut off.
 */
import { chownSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { HowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import type { RoleSecret } from "../../spec/role-secret.js";
import type { ControlCalls, GatewayCalls, GatewayHello, GatewayNotices } from "./contract.js";
import { MalformedMessage, toClientError, toLinkError } from "./failure.js";
import { answersOfWorker, fromWorker, notices } from "./messages.js";
import { Peer } from "./peer.js";

/** Draining workers included. */
const MAX_PEERS = 64;
/** Notices of a worker that waits for another one to let go of its ports. */
const MAX_EARLY = 10_000;
const HELLO_MS = 10_000;
const ANSWER_MS = 15_000;
/** A successor gets ten seconds to become ready. */
const HANDOVER_MS = 30_000;

export interface ControlHandlers {
  /** As `ControlCalls.verifier`. */
  verifier(params: ControlCalls["verifier"]["params"]): Promise<RoleSecret | null>;
  /** As `ControlCalls.wake`. HowdahErrors cross as 57P03 with message and hint, LinkFailures with an SQLSTATE as they
   *  are, anything else as XX000. */
  wake(params: ControlCalls["wake"]["params"]): Promise<void>;
}

/** One worker that has said who it is. */
export interface GatewayPeer {
  /** What it said last. */
  readonly hello: GatewayHello;
  /** Rejects with a LinkFailure that holds what the worker answered, or with GATEWAY_UNREACHABLE. */
  call<M extends keyof GatewayCalls>(method: M, params: GatewayCalls[M]["params"]): Promise<GatewayCalls[M]["result"]>;
  /** Cuts the connection; a living worker comes again. */
  end(): void;
}

export interface GatewayServerOptions {
  readonly log: Logger;
  readonly handlers: ControlHandlers;
  /** Again when a worker's state changes: it drains from now on, or its keeper is gone. */
  readonly onHello: (peer: GatewayPeer, hello: GatewayHello) => void;
  readonly onActivity: (peer: GatewayPeer, service: number, sessions: number) => void;
  readonly onCancel: (peer: GatewayPeer, cancel: GatewayNotices["cancel"]) => void;
  readonly onRefused: (peer: GatewayPeer, refused: GatewayNotices["refused"]) => void;
  readonly onGone: (peer: GatewayPeer) => void;
}

export class GatewayServer {
  readonly #options: GatewayServerOptions;
  readonly #server: Server;
  readonly #workers = new Set<Worker>();
  #leaving = false;

  constructor(options: GatewayServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_PEERS;
  }

  /**
   * Listens on the Unix socket, in place of one that a dead process left behind. As root (`gid` given) it is root's and
   * the group may connect; else only this user may. The mode is there from the first moment on.
   */
  async listen(path: string, options: { gid: number | null }): Promise<void> {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.once("listening", resolve);
      // `listen` on a path binds before it returns, so no other file is made under this mask.
      const before = process.umask(options.gid === null ? 0o177 : 0o117);
      try {
        this.#server.listen({ path });
      } finally {
        process.umask(before);
      }
    });
    if (options.gid !== null) chownSync(path, 0, options.gid);
    this.#server.on("error", (err) => this.#options.log.error({ err }, "unable to accept a gateway"));
  }

  /** From now on questions of workers get no answer: they ask the next control, as soon as this one has closed. Called
   *  before what the handlers need is taken apart; calls to workers still work. */
  leaveQuestions(): void {
    this.#leaving = true;
  }

  /** Cuts every worker off, which goes on by itself. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const worker of this.#workers) worker.end();
    await closed;
  }

  #accept(socket: Socket): void {
    const worker: Worker = new Worker(socket, this.#options, {
      onHello: () => void this.#greet(worker),
      onEnd: () => this.#workers.delete(worker),
      isLeaving: () => this.#leaving,
    });
    this.#workers.add(worker);
  }

  /** A worker whose keeper died still holds its ports: it lets go of them before another one is told to listen. */
  async #greet(worker: Worker): Promise<void> {
    const kept = (each: Worker) => each.accepts && each.hello.keeper !== null;
    const orphans = [...this.#workers].filter((each) => each.accepts && each.hello.keeper === null);
    const hasSuccessor = [...this.#workers].some(kept);
    for (const orphan of hasSuccessor ? orphans : []) {
      await orphan.call("drain", {}).catch((err: unknown) => {
        this.#options.log.warn({ err, pid: orphan.hello.pid }, "unable to make a gateway drain");
      });
    }
    // An orphan that was just sent home says so itself.
    if (hasSuccessor && orphans.includes(worker)) return;
    worker.introduce();
  }
}

interface WorkerEvents {
  readonly onHello: () => void;
  readonly onEnd: () => void;
  readonly isLeaving: () => boolean;
}

class Worker implements GatewayPeer {
  readonly #options: GatewayServerOptions;
  readonly #events: WorkerEvents;
  readonly #peer: Peer;
  readonly #patience: NodeJS.Timeout;
  readonly #early: (() => void)[] = [];
  #hello: GatewayHello | null = null;
  #introduced = false;
  /** A hello is on its way to who listens; what was said behind it must not overtake it. */
  #greeting = false;

  constructor(socket: Socket, options: GatewayServerOptions, events: WorkerEvents) {
    this.#options = options;
    this.#events = events;
    this.#patience = setTimeout(() => this.end(), HELLO_MS);
    this.#peer = new Peer(socket, {
      onRequest: (method, params) => this.#request(method, params),
      onNotice: (method, params) => this.#notice(method, params),
      onEnd: (problem) => this.#end(problem),
      unreachable: () => new HowdahError("GATEWAY_UNREACHABLE", "the gateway does not answer"),
      describe: (method, error) => (method === "hello" ? toLinkError(error) : toClientError(error)),
      onBug: (method, err) => options.log.error({ err, method }, "unable to answer the gateway"),
    });
  }

  get hello(): GatewayHello {
    if (this.#hello === null) throw new Error("this gateway has not said who it is");
    return this.#hello;
  }

  /** Whether it takes new connections. */
  get accepts(): boolean {
    return this.#hello !== null && !this.#hello.draining;
  }

  get ended(): boolean {
    return this.#peer.ended;
  }

  call<M extends keyof GatewayCalls>(method: M, params: GatewayCalls[M]["params"]): Promise<GatewayCalls[M]["result"]> {
    const timeoutMs = method === "handover" ? HANDOVER_MS : ANSWER_MS;
    return this.#peer.call<GatewayCalls[M]["result"]>(method, params, { check: answersOfWorker[method], timeoutMs });
  }

  end(): void {
    this.#peer.end();
  }

  async #request(method: string, params: unknown): Promise<unknown> {
    const { handlers } = this.#options;
    if (method === "hello") return this.#greet(fromWorker.hello(params));
    if (this.#hello === null) throw new MalformedMessage("a request before the hello");
    if (method === "verifier")
      return await this.#unlessLeaving((p) => handlers.verifier(p), fromWorker.verifier(params));
    if (method === "wake") return await this.#unlessLeaving((p) => handlers.wake(p), fromWorker.wake(params));
    throw new MalformedMessage("an unknown request");
  }

  /** An answer that fails because control ends is none: the end of the connection will be it. */
  async #unlessLeaving<P, T>(handler: (params: P) => Promise<T>, params: P): Promise<T> {
    const { isLeaving } = this.#events;
    try {
      if (!isLeaving()) return await handler(params);
    } catch (error) {
      if (!isLeaving()) throw error;
    }
    return await new Promise<never>(() => undefined);
  }

  #greet(hello: GatewayHello): void {
    clearTimeout(this.#patience);
    this.#hello = hello;
    this.#greeting = true;
    this.#events.onHello();
  }

  /** Presents it to whoever listens to the server; what it said meanwhile follows. */
  introduce(): void {
    if (this.ended) return;
    this.#introduced = true;
    this.#greeting = false;
    this.#options.onHello(this, this.hello);
    for (const tell of this.#early.splice(0)) tell();
  }

  #notice(method: string, params: unknown): void {
    if (this.#hello === null) throw new MalformedMessage("a notice before the hello");
    const tell = this.#reader(method, params);
    if (this.#introduced && !this.#greeting) tell();
    else if (this.#early.length < MAX_EARLY) this.#early.push(tell);
    else throw new MalformedMessage("too many notices");
  }

  #reader(method: string, params: unknown): () => void {
    if (method === "activity") {
      const { service, sessions } = notices.activity(params);
      return () => this.#options.onActivity(this, service, sessions);
    }
    if (method === "cancel") {
      const cancel = notices.cancel(params);
      return () => this.#options.onCancel(this, cancel);
    }
    if (method !== "refused") throw new MalformedMessage("an unknown notice");
    const refused = notices.refused(params);
    return () => this.#options.onRefused(this, refused);
  }

  #end(problem: Error | null): void {
    clearTimeout(this.#patience);
    if (problem !== null) this.#options.log.warn({ err: problem, pid: this.#hello?.pid }, "gateway was cut off");
    this.#events.onEnd();
    if (this.#introduced) this.#options.onGone(this);
  }
}
