/**
 * The gateway's processes with a control that only answers: it tells every endpoint to every worker that comes, as the
 * real one does. Everything is ended at the end.
 */
import { readFileSync } from "node:fs";
import {
  type Endpoint,
  endGateway,
  type GatewayHello,
  type GatewayPeer,
  GatewayServer,
  launchGateway,
} from "../../src/gateway/index.js";
import type { Layout, ProcessIdentity } from "../../src/runtime/index.js";
import type { RoleSecret } from "../../src/spec/index.js";
import { until } from "./installation.js";
import { silent } from "./server.js";

export interface FakeControlOptions {
  readonly layout: Layout;
  readonly verifier: (role: string) => Promise<RoleSecret | null>;
  /** Which workers become; null unless root. */
  readonly uid: number | null;
}

export class FakeControl implements AsyncDisposable {
  readonly endpoints = new Map<number, Endpoint>();
  readonly hellos: GatewayHello[] = [];
  /** Workers that are connected and were told everything. */
  readonly peers = new Set<GatewayPeer>();
  /** Workers are left without an answer to how things are. */
  mute = false;
  readonly #o: FakeControlOptions;
  #server: GatewayServer | null = null;

  private constructor(o: FakeControlOptions) {
    this.#o = o;
  }

  static async start(o: FakeControlOptions): Promise<FakeControl> {
    const control = new FakeControl(o);
    await control.appear();
    return control;
  }

  /** Listens for workers. */
  async appear(): Promise<void> {
    this.#server = new GatewayServer({
      log: silent,
      handlers: { verifier: ({ role }) => this.#o.verifier(role), wake: async () => undefined },
      onHello: (peer, hello) => void this.#greet(peer, hello),
      onActivity: () => undefined,
      onCancel: () => undefined,
      onRefused: () => undefined,
      onGone: (peer) => this.peers.delete(peer),
    });
    await this.#server.listen(this.#o.layout.gatewaySocket, { gid: this.#o.uid });
  }

  /** As when control dies. */
  async vanish(): Promise<void> {
    await this.#server?.close();
  }

  launch(): Promise<ProcessIdentity> {
    const { layout, uid } = this.#o;
    return launchGateway({ layout, uid, gid: uid, logLevel: "debug", version: "test", log: silent });
  }

  /** The one worker that takes connections, but not the process of that number. */
  worker(exceptPid?: number): Promise<GatewayPeer> {
    return until("a gateway takes connections", () =>
      [...this.peers].find(({ hello }) => !hello.draining && hello.pid !== exceptPid),
    );
  }

  async configure(endpoint: Endpoint): Promise<void> {
    await (await this.worker()).call("configure", endpoint);
    this.endpoints.set(endpoint.id, endpoint);
  }

  async #greet(peer: GatewayPeer, hello: GatewayHello): Promise<void> {
    this.hellos.push(hello);
    if (this.mute) return;
    if (!hello.draining) {
      const told = [...this.endpoints.values()].map((endpoint) => peer.call("configure", endpoint));
      await Promise.allSettled(told);
    }
    this.peers.add(peer);
  }

  gatewayLog(): string {
    return readFileSync(this.#o.layout.gatewayLog, "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endGateway(this.#o.layout);
    await this.vanish();
  }
}
