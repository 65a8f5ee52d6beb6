/**
 * The worker's end of the link: connects to control, says who it is, and comes again for ever when control is gone.
 * Nothing that a client does depends on control being there at that very moment: questions wait for it.
 */
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../kernel/log.js";
import type { RoleSecret } from "../../spec/role-secret.js";
import type { ControlCalls, GatewayCalls, GatewayHello, GatewayNotices } from "./contract.js";
import { controlUnreachable, LinkFailure } from "./failure.js";
import { MAX_TEXT } from "./messages.js";
import { Peer } from "./peer.js";

const RECONNECT_MIN_MS = 10;
const RECONNECT_MAX_MS = 250;
const HELLO_MS = 10_000;
/** How long a question waits for control to come back before its asker is told; a control that restarts takes less. */
const WAIT_MS = 5_000;

export type GatewayHandlers = {
  readonly [M in keyof GatewayCalls]: (
    params: GatewayCalls[M]["params"],
  ) => Promise<GatewayCalls[M]["result"]> | GatewayCalls[M]["result"];
};

export interface ControlLinkOptions {
  /** Control's Unix socket. */
  readonly path: string;
  readonly log: Logger;
  readonly handlers: GatewayHandlers;
  /** Asked at each connection. */
  readonly hello: () => GatewayHello;
  /** Control has answered a hello, which held this; what changed since is to be said now. */
  readonly onWelcome?: (said: GatewayHello) => void;
  readonly waitMs?: number;
}

export class ControlLink {
  readonly #options: ControlLinkOptions;
  #peer: Peer | null = null;
  /** Settles when control is there; replaced when it goes. */
  #arrival = arrival();
  #closed = false;
  #running: Promise<void> | null = null;

  constructor(options: ControlLinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  get connected(): boolean {
    return this.#peer !== null;
  }

  /** Says again who we are, because it changed. */
  async sayHello(): Promise<void> {
    try {
      if (this.#peer === null) return;
      const said = await this.#greet(this.#peer);
      this.#options.onWelcome?.(said);
    } catch (err) {
      // It is said at the next connection in any case.
      this.#options.log.debug({ err }, "control did not hear what changed");
    }
  }

  /** As `ControlCalls.verifier`. Rejects with an SQLSTATE as `code` when control answered with one, with
   *  CONTROL_UNREACHABLE when it is away for longer than a moment. */
  async verifier(service: number, role: string): Promise<RoleSecret | null> {
    // PostgreSQL has no such role; control would take so long a name for an attack and cut us off.
    if (role.length > MAX_TEXT) return null;
    return await this.#ask("verifier", { service, role }, (value) => value as RoleSecret | null);
  }

  /** As `ControlCalls.wake`; rejects as `verifier` does. */
  async wake(request: ControlCalls["wake"]["params"]): Promise<void> {
    const { service, role, client, application, failed } = request;
    const params = {
      service,
      role: cut(role),
      client: cut(client),
      application: cut(application),
      failed: failed === null ? null : cut(failed),
    };
    await this.#ask("wake", params, () => undefined);
  }

  /** Lost when control is away: the next hello says what counts. */
  notify<N extends keyof GatewayNotices>(notice: N, params: GatewayNotices[N]): void {
    this.#peer?.notify(notice, params);
  }

  /** Ends when what was said is on its way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#peer?.finish();
    this.#arrival.reject(controlUnreachable());
  }

  async #ask<M extends "verifier" | "wake", T>(
    method: M,
    params: ControlCalls[M]["params"],
    check: (value: unknown) => T,
  ): Promise<T> {
    const peer = await this.#present();
    return await peer.call(method, params, { check });
  }

  async #present(): Promise<Peer> {
    if (this.#peer !== null) return this.#peer;
    const patience = new AbortController();
    const late = delay(this.#options.waitMs ?? WAIT_MS, undefined, { signal: patience.signal }).then(() => {
      throw controlUnreachable();
    });
    try {
      return await Promise.race([this.#arrival.promise, late]);
    } finally {
      patience.abort();
      // Aborted, it rejects, and nobody waits for it.
      late.catch(() => undefined);
    }
  }

  async #run(): Promise<void> {
    for (let pauseMs = RECONNECT_MIN_MS; !this.#closed; ) {
      const welcome = await this.#visit();
      pauseMs = welcome ? RECONNECT_MIN_MS : Math.min(RECONNECT_MAX_MS, pauseMs * 2);
      await delay(pauseMs);
    }
  }

  /** One connection, from its beginning to its end. Whether control took us in. */
  #visit(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ path: this.#options.path });
      const peer: Peer = new Peer(socket, {
        onRequest: (method, params) => this.#answer(method, params),
        onNotice: () => undefined,
        onEnd: (problem) => {
          if (problem !== null) this.#options.log.warn({ err: problem }, "cut control off");
          resolve(this.#forget(peer));
        },
        unreachable: controlUnreachable,
        onBug: (method, err) => this.#options.log.error({ err, method }, "unable to do what control asked for"),
      });
      socket.once("connect", () => {
        this.#greet(peer).then(
          (said) => this.#welcome(peer, said),
          () => peer.end(),
        );
      });
    });
  }

  async #greet(peer: Peer): Promise<GatewayHello> {
    const said = this.#options.hello();
    await peer.call("hello", said, { check: () => undefined, timeoutMs: HELLO_MS });
    return said;
  }

  #welcome(peer: Peer, said: GatewayHello): void {
    if (peer.ended) return;
    this.#peer = peer;
    this.#arrival.resolve(peer);
    this.#options.log.info("control is here");
    this.#options.onWelcome?.(said);
  }

  #forget(peer: Peer): boolean {
    if (this.#peer !== peer) return false;
    this.#peer = null;
    this.#arrival = arrival();
    if (!this.#closed) this.#options.log.warn("control is gone");
    return true;
  }

  async #answer(method: string, params: unknown): Promise<unknown> {
    const { handlers } = this.#options;
    if (!isCall(method, handlers)) throw new LinkFailure("INTERNAL", `this gateway cannot '${cut(method)}'`);
    // Control is trusted: what it sends has the contract's shape.
    return await handlers[method](params as never);
  }
}

function isCall(method: string, handlers: GatewayHandlers): method is keyof GatewayCalls {
  return Object.hasOwn(handlers, method);
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT);
}

interface Arrival {
  readonly promise: Promise<Peer>;
  readonly resolve: (peer: Peer) => void;
  readonly reject: (error: Error) => void;
}

function arrival(): Arrival {
  let resolve: Arrival["resolve"] = () => undefined;
  let reject: Arrival["reject"] = () => undefined;
  const promise = new Promise<Peer>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // There may be nobody who waits.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
