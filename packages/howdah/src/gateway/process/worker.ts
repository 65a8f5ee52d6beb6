/**
 * The gateway proper, put together: control tells the endpoints, listeners take connections, sessions serve them, and
 * the keeper holds what must outlive this process. It goes on serving while control is away, and also when the keeper is
 * gone.
 */
import type { Logger } from "../../kernel/log.js";
import type { Layout } from "../../runtime/layout.js";
import type { Endpoint, GatewayCalls, GatewayHello, SessionInfo } from "../link/contract.js";
import { ControlLink, type GatewayHandlers } from "../link/control-link.js";
import { LinkFailure } from "../link/failure.js";
import { Sessions } from "../session/index.js";
import { KeeperLine } from "./keeper-line.js";
import { isListenerHandle, type KeeperOrder } from "./keeper-messages.js";
import { Listeners } from "./listeners.js";
import { Refusals } from "./refusals.js";
import { StrayCancels } from "./stray-cancels.js";

/** What control's answer may still take to be on its way before everything ends. */
const LAST_WORDS_MS = 50;
/** Control takes no line above 1 MiB. */
const MAX_LISTED_BYTES = 900_000;

export interface WorkerOptions {
  readonly layout: Layout;
  readonly log: Logger;
  readonly version: string;
}

export class GatewayWorker {
  readonly #o: WorkerOptions;
  readonly #startedAt = Date.now();
  readonly #keeper: KeeperLine;
  readonly #listeners: Listeners;
  readonly #link: ControlLink;
  readonly #refusals: Refusals;
  readonly #strays: StrayCancels;
  #sessions: Sessions;
  #draining = false;
  /** Listeners that were given to this successor and that control has not mentioned yet; null: it need not say when it
   *  is ready. */
  #unmentioned: Set<number> | null = null;
  #handover: { resolve: (pid: number) => void; reject: (error: Error) => void } | null = null;

  constructor(o: WorkerOptions) {
    this.#o = o;
    this.#refusals = new Refusals((notice) => this.#link.notify("refused", notice));
    this.#strays = new StrayCancels((notice) => this.#link.notify("cancel", notice));
    this.#sessions = this.#makeSessions();
    this.#listeners = new Listeners({
      log: o.log,
      hold: (service, handle) => this.#keeper.hold(service, handle),
      drop: (service) => this.#keeper.drop(service),
      onConnection: (socket, endpoint) => this.#sessions.accept(socket, endpoint),
    });
    this.#link = new ControlLink({
      path: o.layout.gatewaySocket,
      log: o.log,
      handlers: this.#handlers(),
      hello: () => this.#hello(),
      onWelcome: (said) => {
        this.#tellChanges(said);
        this.#tellIfReady();
      },
    });
    this.#keeper = new KeeperLine({
      onMessage: (message, handle) => this.#hear(message, handle),
      onGone: () => this.#orphaned(),
    });
  }

  /** Ends every connection, and the process. */
  end(): void {
    this.#sessions.endAll();
    process.exit(0);
  }

  #makeSessions(mockSecret?: Buffer): Sessions {
    return new Sessions({
      log: this.#o.log,
      control: {
        verifier: (service, role) => this.#link.verifier(service, role),
        wake: (request) => this.#link.wake(request),
      },
      onActivity: (service, sessions) => this.#link.notify("activity", { service, sessions }),
      onStrayCancel: (request) => this.#strays.add(request),
      onRefused: (refusal) => this.#refusals.add(refusal),
      ...(mockSecret === undefined ? {} : { mockSecret }),
    });
  }

  #hello(): GatewayHello {
    return {
      pid: process.pid,
      version: this.#o.version,
      startedAt: this.#startedAt,
      keeper: this.#keeper.keeper,
      draining: this.#draining,
      sessions: this.#sessions.tellAll(),
      listening: this.#listeners.services,
    };
  }

  /** Clients that came or went while the hello was on its way: nobody would tell of them later, and a service whose last
   *  client is thought to be there never sleeps. */
  #tellChanges({ sessions: said }: GatewayHello): void {
    const now = new Map(this.#sessions.tellAll().map(({ service, count }) => [service, count]));
    for (const { service, count } of said) {
      if (now.get(service) !== count) this.#link.notify("activity", { service, sessions: now.get(service) ?? 0 });
      now.delete(service);
    }
    for (const [service, sessions] of now) this.#link.notify("activity", { service, sessions });
  }

  #hear(message: KeeperOrder, handle: unknown): void {
    switch (message.say) {
      case "listener":
        if (isListenerHandle(handle)) this.#listeners.inherit(message.service, handle);
        return;
      case "start":
        // Before the first connection: nothing is lost.
        this.#sessions = this.#makeSessions(Buffer.from(message.mockSecret, "hex"));
        if (message.accept) this.#listeners.accept();
        else this.#unmentioned = new Set(this.#listeners.services);
        this.#link.start();
        return;
      case "accept":
        this.#listeners.accept();
        return;
      case "fall-silent":
        this.#listeners.stop();
        this.#keeper.say({ say: "silent" });
        return;
      case "handed-over":
        this.#handover?.resolve(message.pid);
        this.#handover = null;
        this.#drain();
        return;
      case "handover-failed":
        this.#handover?.reject(new LinkFailure("GATEWAY_UNREACHABLE", message.why));
        this.#handover = null;
        return;
    }
  }

  #handlers(): GatewayHandlers {
    return {
      configure: (endpoint) => this.#configure(endpoint),
      remove: ({ id }) => this.#remove(id),
      close: ({ id, unlessBusy }) => this.#close(id, unlessBusy),
      open: ({ id }) => this.#setOpen(id, true),
      tls: (certificate) => {
        this.#sessions.setTls(certificate);
        return {};
      },
      sessions: ({ service }) => ({ sessions: fitting(this.#sessions.list(service)) }),
      stats: () => ({ ...this.#sessions.stats(), rss: residentBytes() }),
      cancel: async ({ id, pid, secret }) => {
        await this.#sessions.cancel(id, pid, secret);
        return {};
      },
      handover: () => this.#handOver(),
      drain: () => {
        this.#drain();
        return {};
      },
      end: () => {
        setTimeout(() => this.#endAll(), LAST_WORDS_MS);
        return {};
      },
    };
  }

  async #configure(endpoint: Endpoint): Promise<Record<string, never>> {
    try {
      this.#sessions.setOpen(endpoint.id, endpoint.open);
      await this.#listeners.configure(endpoint);
    } finally {
      this.#mentioned(endpoint.id);
    }
    return {};
  }

  async #remove(id: number): Promise<Record<string, never>> {
    await this.#listeners.remove(id);
    this.#sessions.forget(id);
    this.#mentioned(id);
    return {};
  }

  #close(id: number, unlessBusy: boolean): GatewayCalls["close"]["result"] {
    const sessions = this.#sessions.close(id, { unlessBusy });
    if (sessions === 0 || !unlessBusy) this.#listeners.setOpen(id, false);
    return { sessions };
  }

  #setOpen(id: number, open: boolean): Record<string, never> {
    this.#sessions.setOpen(id, open);
    this.#listeners.setOpen(id, open);
    return {};
  }

  #handOver(): Promise<{ pid: number }> {
    if (this.#keeper.keeper === null) throw new LinkFailure("GATEWAY_UNREACHABLE", "this gateway has lost its keeper");
    if (this.#handover !== null) throw new LinkFailure("GATEWAY_UNREACHABLE", "a handover is under way");
    return new Promise((resolve, reject) => {
      this.#handover = { resolve: (pid) => resolve({ pid }), reject };
      this.#keeper.say({ say: "handover" });
    });
  }

  /** Control has spoken of the service, whether or not its wish could be granted. */
  #mentioned(id: number): void {
    this.#unmentioned?.delete(id);
    this.#tellIfReady();
  }

  #tellIfReady(): void {
    if (this.#unmentioned === null || this.#unmentioned.size > 0 || !this.#link.connected) return;
    this.#unmentioned = null;
    this.#keeper.say({ say: "ready" });
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#listeners.stop();
    this.#o.log.info({ sessions: this.#sessions.count }, "draining");
    void this.#endWhenDrained();
  }

  async #endWhenDrained(): Promise<void> {
    // Its answer comes after our own answer to what made us drain is on its way.
    await this.#link.sayHello();
    await this.#sessions.drained;
    this.#refusals.flush();
    await this.#link.close();
    this.#o.log.info("drained");
    process.exit(0);
  }

  #orphaned(): void {
    this.#o.log.warn("the keeper is gone; going on without it");
    this.#handover?.reject(new LinkFailure("GATEWAY_UNREACHABLE", "this gateway has lost its keeper"));
    this.#handover = null;
    void this.#link.sayHello();
  }

  #endAll(): void {
    if (this.#keeper.keeper === null) this.end();
    else this.#keeper.say({ say: "end" });
  }
}

function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    // It is read from a file, and this process may be out of descriptors: the most that it ever was needs none.
    return process.resourceUsage().maxRSS * 1_024;
  }
}

/** The oldest sessions, as many as fit into one message. */
function fitting(sessions: readonly SessionInfo[]): SessionInfo[] {
  let bytes = 0;
  return sessions.filter((session) => {
    bytes += Buffer.byteLength(JSON.stringify(session)) + 1;
    return bytes <= MAX_LISTED_BYTES;
  });
}
