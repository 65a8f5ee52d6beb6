/**
 * The life of one client connection: opening, login, hold, copying. Whatever happens on the way ends in `#part`, and
 * everything a session has taken (a place, a count, a table's entry, a timer) is given back in a `finally`.
 */
import type { Socket } from "node:net";
import type { Endpoint, RefusalReason, SessionInfo } from "../link/contract.js";
import { errorResponse, negotiateProtocolVersion, ProtocolViolation } from "../protocol/index.js";
import { type Splice, splice } from "../splice/index.js";
import { authenticate } from "./authenticate.js";
import { CANCEL_MS, forwardCancel } from "./cancel-table.js";
import { type Connected, reachServer } from "./hold.js";
import { Inbox } from "./inbox.js";
import { LoginTimer } from "./login-timer.js";
import { mockSecretOf } from "./mock-secret.js";
import { type Cancel, openConversation, type Startup } from "./opening.js";
import { admits, type Peer } from "./peer.js";
import { Dropped, Refused, RefusedByServer, SQLSTATES } from "./refusal.js";
import type { Attempt } from "./refusal-delay.js";
import { type LoginKeys, logInToServer } from "./server-login.js";
import type { Service } from "./service.js";
import type { Shared } from "./shared.js";
import type { TlsIdentity } from "./tls-identity.js";

const KEEPALIVE_MS = 60_000;
/** As long as a name in PostgreSQL can be. */
const MAX_NAME = 64;
/** From here on the server speaks 3.2. */
const FIRST_MAJOR_WITH_MINOR_2 = 18;

export interface SessionStart {
  readonly number: number;
  readonly socket: Socket;
  readonly peer: Peer;
  /** As it is when the client comes. */
  readonly endpoint: Endpoint;
  /** As it is later: policies and sockets may change while a client is held. */
  readonly latest: () => Endpoint | undefined;
  /** It has proven who it is, and is in `service.sessions` now. */
  readonly onAuthenticated: (service: Service) => void;
}

export class Session {
  readonly #shared: Shared;
  readonly #start: SessionStart;
  readonly #gone = new AbortController();
  readonly #timer: LoginTimer;
  readonly #since: number;
  #socket: Socket;
  #inbox: Inbox;
  /** What the client was shown; null: it speaks in clear. */
  #tls: TlsIdentity | null = null;
  #startup: Startup | null = null;
  #connected: { readonly pid: number | null; readonly splice: Splice } | null = null;

  constructor(shared: Shared, start: SessionStart) {
    this.#shared = shared;
    this.#start = start;
    this.#since = shared.clock.now();
    this.#socket = start.socket;
    start.socket.setKeepAlive(true, KEEPALIVE_MS);
    this.#inbox = this.#listen(start.socket);
    this.#timer = new LoginTimer(shared.limits.loginMs, () => this.#timedOut());
  }

  /** Resolves when the connection has ended and everything is given back. Never rejects. */
  async run(): Promise<void> {
    const { socket, peer, endpoint } = this.#start;
    const tls = endpoint.ssl === "off" ? null : this.#shared.tls;
    try {
      const opening = await openConversation({
        socket,
        inbox: this.#inbox,
        endpoint,
        tls,
        forbidden: admits(endpoint.allow, peer) ? null : `connections from ${peer.address} are not allowed`,
        onEncrypted: (encrypted) => {
          this.#tls = tls;
          this.#socket = encrypted;
          this.#inbox = this.#listen(encrypted);
          return this.#inbox;
        },
      });
      if (opening.kind === "cancel") await this.#cancel(opening);
      else await this.#serve(opening);
    } catch (error) {
      await this.#part(this.#gone.signal.aborted ? this.#gone.signal.reason : error);
    } finally {
      this.#timer.pause();
      this.#socket.destroy();
      socket.destroy();
    }
  }

  /** Ends it at once, without a word. */
  drop(message: string, reason: RefusalReason | null): void {
    this.#gone.abort(new Dropped(message, reason));
    this.#connected?.splice.destroy();
    this.#socket.destroy();
    this.#start.socket.destroy();
  }

  get info(): SessionInfo {
    return {
      session: this.#start.number,
      service: this.#start.endpoint.id,
      pid: this.#connected?.pid ?? null,
      client: this.#start.peer.shown,
      role: presentable(this.#role ?? ""),
      database: presentable(this.#database),
      application: presentable(this.#startup?.parameters.get("application_name") ?? ""),
      tls: this.#tls !== null,
      since: this.#since,
      state: this.#connected === null ? "held" : "connected",
    };
  }

  /** Bytes copied so far. */
  get copied(): { readonly fromClient: number; readonly toClient: number } {
    const copying = this.#connected?.splice;
    return { fromClient: copying?.bytesFromClient ?? 0, toClient: copying?.bytesToClient ?? 0 };
  }

  get #role(): string | null {
    return this.#startup?.parameters.get("user") ?? null;
  }

  get #database(): string {
    return this.#startup?.parameters.get("database") || (this.#role ?? "");
  }

  #listen(socket: Socket): Inbox {
    return new Inbox(socket, {
      maxBytes: this.#shared.limits.unreadBytes,
      onGone: (why) => this.#gone.abort(why),
    });
  }

  /** PostgreSQL says nothing to one who has not said who he is. */
  #timedOut(): void {
    if (this.#startup === null) {
      this.drop("no login in time", "timeout");
      return;
    }
    this.#inbox.close(new Refused("timeout", SQLSTATES.queryCanceled, "canceling authentication due to timeout"));
  }

  /** The client waits for the end of the connection and learns nothing from it. */
  async #cancel(request: Cancel): Promise<void> {
    const { pid, secret } = request;
    const socketPath = this.#shared.cancels.find(this.#start.endpoint.id, pid, secret);
    if (socketPath === null) {
      this.#shared.strayCancel(this.#start.endpoint.id, pid, secret);
      return;
    }
    this.#timer.pause();
    this.#shared.cancelled();
    await forwardCancel(socketPath, { pid, secret, timeoutMs: CANCEL_MS });
  }

  async #serve(startup: Startup): Promise<void> {
    this.#startup = startup;
    const { endpoint } = this.#start;
    const minor = this.#negotiate(startup);
    if (endpoint.ssl === "require" && this.#tls === null) {
      throw new Refused("tls", SQLSTATES.invalidAuthorization, "this service takes encrypted connections only", {
        hint: "Connect with sslmode=require, or better with sslmode=verify-full and the certificate authority that 'howdah server ca' prints.",
      });
    }
    const keys = await this.#prove();
    this.#timer.pause();
    this.#gone.signal.throwIfAborted();
    this.#shared.delays.succeeded(this.#attempt);
    const service = this.#shared.service(endpoint);
    if (service.sessions.size >= this.#shared.limits.sessionsPerService) {
      throw new Refused("overload", SQLSTATES.tooManyConnections, "too many clients of this service", {
        detail: `The gateway serves at most ${this.#shared.limits.sessionsPerService} of one service, waiting ones included.`,
      });
    }
    this.#inbox.hold(this.#shared.limits.heldBytes);
    service.sessions.add(this);
    this.#start.onAuthenticated(service);
    try {
      await this.#work(service, keys, minor);
    } finally {
      service.sessions.delete(this);
      this.#shared.left(service);
    }
  }

  /** The minor version that both sides speak; a client that asked for more is told. */
  #negotiate(startup: Startup): number {
    const ours = this.#start.endpoint.major >= FIRST_MAJOR_WITH_MINOR_2 ? 2 : 0;
    if (startup.minor > ours || startup.unknownOptions.length > 0) {
      this.#socket.write(negotiateProtocolVersion(ours, startup.unknownOptions));
    }
    return Math.min(startup.minor, ours);
  }

  async #prove(): Promise<LoginKeys> {
    const { endpoint } = this.#start;
    const role = this.#role ?? "";
    // Control's time is not the client's.
    this.#timer.pause();
    const secret = await this.#shared.verifiers.lookUp(endpoint.id, role, {
      holdMs: endpoint.holdMs,
      signal: this.#gone.signal,
    });
    this.#timer.resume();
    return authenticate({
      inbox: this.#inbox,
      send: (bytes) => this.#socket.write(bytes),
      role,
      secret,
      mockSecret: mockSecretOf(this.#shared.mockSecret, endpoint.id),
      tls: this.#tls,
      now: this.#shared.clock.now(),
      turn: () => this.#shared.delays.turn(this.#attempt, this.#gone.signal),
    });
  }

  get #attempt(): Attempt {
    return { service: this.#start.endpoint.id, peer: this.#start.peer, role: this.#role ?? "" };
  }

  /** From the proof to the last byte. */
  async #work(service: Service, keys: LoginKeys, minor: number): Promise<void> {
    const { info } = this;
    const pair = JSON.stringify([this.#role, this.#database]);
    const server = await reachServer({
      service,
      endpoint: this.#start.latest,
      who: { service: service.id, role: info.role, client: info.client, application: info.application },
      pair,
      logIn: ({ socketPath }, signal) =>
        logInToServer({ socketPath, parameters: this.#startup?.parameters ?? new Map(), minor, keys, signal }),
      serverLoginMs: this.#shared.limits.serverLoginMs,
      clock: this.#shared.clock,
      signal: this.#gone.signal,
    }).finally(() => {
      // Nobody needs it any more, and a session may last for days.
      keys.clientKey.fill(0);
    });
    try {
      await this.#copy(service, server);
    } finally {
      server.socket.destroy();
      service.gate.leave();
      service.backends.freed(pair);
    }
  }

  async #copy(service: Service, server: Connected): Promise<void> {
    this.#gone.signal.throwIfAborted();
    const { cancel } = server;
    const socketPath = this.#start.latest()?.socketPath ?? this.#start.endpoint.socketPath;
    const forget =
      cancel === null
        ? () => undefined
        : this.#shared.cancels.add(service.id, cancel.pid, { secret: cancel.secret, socketPath });
    try {
      const toServer = this.#inbox.release();
      const copying = splice(this.#socket, server.socket, { toClient: server.toClient, toServer });
      this.#connected = { pid: cancel?.pid ?? null, splice: copying };
      await copying.done;
    } finally {
      forget();
      this.#shared.copied(this.copied);
      this.#connected = null;
    }
  }

  /** The end of a conversation that has not become a session. */
  async #part(error: unknown): Promise<void> {
    const service = this.#start.endpoint.id;
    const client = this.#start.peer.address;
    const role = this.#role === null ? null : presentable(this.#role);
    const end = ending(error);
    if (end.reason !== null) this.#shared.refused({ service, reason: end.reason, client, role });
    if (end.unexpected) this.#shared.log.error({ err: error, service, client }, "session failed");
    if (end.bytes === null) return;
    this.#timer.pause();
    if (end.reason === "password" && !(error instanceof RefusedByServer) && !(await this.#atone())) return;
    await this.#sayGoodbye(end.bytes);
  }

  /** Waits as long as a wrong password has to. False: too many of the same address wait, or the client has left. */
  async #atone(): Promise<boolean> {
    const delay = this.#shared.delays.failed(this.#attempt);
    if (delay === null) return false;
    try {
      await delay.due(this.#gone.signal);
      return true;
    } catch {
      // Only the signal ends it: the client is gone.
      return false;
    }
  }

  /** Reads on for a while: a socket closed over unread bytes is reset, and the answer may be lost with it. */
  async #sayGoodbye(bytes: Buffer): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#inbox.discard();
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, this.#shared.limits.lingerMs);
      socket.once("end", done);
      socket.once("close", done);
      socket.end(bytes);
    });
  }
}

interface Ending {
  /** What the client is told; null: nothing. */
  readonly bytes: Buffer | null;
  /** null: nobody refused anything. */
  readonly reason: RefusalReason | null;
  readonly unexpected?: true;
}

function ending(error: unknown): Ending {
  if (error instanceof Dropped) return { bytes: null, reason: error.reason };
  if (error instanceof RefusedByServer) return { bytes: error.bytes, reason: reasonOf(error.sqlstate) };
  if (error instanceof Refused) {
    const { detail, hint } = error.more;
    return { bytes: fatal(error.sqlstate, error.message, { detail, hint }), reason: error.reason };
  }
  if (error instanceof ProtocolViolation) {
    const reason = error.sqlstate === SQLSTATES.wrongPassword ? "password" : "protocol";
    return { bytes: fatal(error.sqlstate, error.message, { detail: error.detail ?? undefined }), reason };
  }
  return { bytes: fatal(SQLSTATES.internal, "internal error"), reason: "unavailable", unexpected: true };
}

function fatal(
  sqlstate: string,
  message: string,
  more: { detail?: string | undefined; hint?: string | undefined } = {},
): Buffer {
  return errorResponse({ severity: "FATAL", sqlstate, message, ...more });
}

/** What the server itself refuses, in our words. */
function reasonOf(sqlstate: string): RefusalReason {
  if (sqlstate === SQLSTATES.wrongPassword) return "password";
  if (sqlstate === SQLSTATES.tooManyConnections) return "hold-limit";
  // No such database, no right to connect to it, role not permitted.
  return /^(28|3D|42)/.test(sqlstate) ? "role" : "unavailable";
}

/** Names come from strangers and end on an administrator's terminal. */
function presentable(text: string): string {
  return [...text].slice(0, MAX_NAME).join("").replace(/\p{C}/gu, "?");
}
