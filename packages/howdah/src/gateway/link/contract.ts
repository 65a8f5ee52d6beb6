/**
 * What control and gateway say to each other, over a Unix socket that control listens on (`layout.gatewaySocket`) and
 * every gateway worker connects to, again and again: JSON lines in both directions, requests with numbers, answers in
 * any order, notices without answer. Either side may be gone at any time; the gateway then works from what it was told
 * last. The gateway reads bytes from strangers, so control believes it nothing but numbers and short texts.
 */
import type { RoleSecret } from "../../spec/index.js";

/** One service as the gateway needs to know it. */
export interface Endpoint {
  readonly id: number;
  /** `project/name`, for error messages. */
  readonly title: string;
  readonly major: number;
  /** The address that clients connect to. */
  readonly host: string;
  readonly port: number;
  readonly ssl: "off" | "allow" | "require";
  /** Networks that clients may come from; empty: any. */
  readonly allow: readonly string[];
  /** How long a client is held before it gets an error. */
  readonly holdMs: number;
  /** The server's own socket. */
  readonly socketPath: string;
  /** True: the server runs and takes connections. False: ask `wake` first. */
  readonly open: boolean;
}

/** A client that has proven who it is. Times are milliseconds since the epoch. */
export interface SessionInfo {
  /** Number of the session within this gateway worker. */
  readonly session: number;
  readonly service: number;
  /** The backend's process, as its BackendKeyData says; null while the client is held. */
  readonly pid: number | null;
  /** `127.0.0.1:50312` or `[::1]:50312`. */
  readonly client: string;
  readonly role: string;
  readonly database: string;
  /** application_name of the startup packet, cut to 64 characters, control characters replaced. */
  readonly application: string;
  readonly tls: boolean;
  readonly since: number;
  /** `held`: waits for the server. */
  readonly state: "held" | "connected";
}

export interface GatewayHello {
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
  /** The process that holds its listeners; null when that one is gone: then nobody can take them over. */
  readonly keeper: number | null;
  /** A draining worker accepts nothing more and ends with its last session. */
  readonly draining: boolean;
  /** Authenticated sessions (held ones included) by service id. */
  readonly sessions: readonly { readonly service: number; readonly count: number }[];
  /** Services that this worker listens for, so that control need not wait for `configure` to say so. */
  readonly listening: readonly number[];
}

/** Counters since the worker started; gauges where it says so. */
export interface GatewayStats {
  /** Gauge: sockets that have not proven who they are yet. */
  readonly unauthenticated: number;
  readonly accepted: number;
  readonly loggedIn: number;
  readonly cancels: number;
  /** Refused, by reason. */
  readonly refused: Readonly<Record<RefusalReason, number>>;
  readonly bytesFromClients: number;
  readonly bytesToClients: number;
  /** Resident memory in bytes. */
  readonly rss: number;
}

export type RefusalReason =
  | "protocol"
  | "timeout"
  | "overload"
  | "network"
  | "tls"
  | "password"
  | "role"
  | "hold-limit"
  | "unavailable";

/** What control asks of a gateway worker. */
export interface GatewayCalls {
  /** Makes the endpoint be as described: listens, moves the listener, changes the policy. Idempotent. The address is
   *  bound when it is answered. Errors: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
  configure: { params: Endpoint; result: Record<string, never> };
  /** Stops listening and forgets. Its sessions go on until the server ends them. */
  remove: { params: { id: number }; result: Record<string, never> };
  /** From now on nobody new reaches the server without `wake`. Answers how many authenticated sessions there are that
   *  are connected to the server or on their way to it; with `unlessBusy` it stays open when there are any. */
  close: { params: { id: number; unlessBusy: boolean }; result: { sessions: number } };
  /** The server takes connections again. */
  open: { params: { id: number }; result: Record<string, never> };
  /** Certificate chain and private key in PEM, for every service with TLS. Kept in memory only. */
  tls: { params: { cert: string; key: string }; result: Record<string, never> };
  sessions: { params: { service: number | null }; result: { sessions: readonly SessionInfo[] } };
  stats: { params: Record<string, never>; result: GatewayStats };
  /** Starts a successor, which takes the listeners over; this worker then drains. Answered when it has taken over. */
  handover: { params: Record<string, never>; result: { pid: number } };
  /** Ends what a session of this worker is running, if it has one with this process and secret (hexadecimal). */
  cancel: { params: { id: number; pid: number; secret: string }; result: Record<string, never> };
  /** Stops listening and ends with its last session: for a worker whose keeper is gone, when another one is there. */
  drain: { params: Record<string, never>; result: Record<string, never> };
  /** Ends the whole gateway, with every connection. */
  end: { params: Record<string, never>; result: Record<string, never> };
}

/** What a gateway worker asks of control. */
export interface ControlCalls {
  hello: { params: GatewayHello; result: Record<string, never> };
  /** The role's secret, or null when there is no such role (or it may never log in from outside). Read from the server
   *  when it runs, else as it was when it went to sleep. */
  verifier: { params: { service: number; role: string }; result: RoleSecret | null };
  /** Resolves when the server takes connections. Errors carry an SQLSTATE as `code`: 57P03. Also asked when a service
   *  that was said to be open did not answer; `failed` then says how (`ECONNREFUSED`, `57P03`). */
  wake: {
    params: { service: number; role: string; client: string; application: string; failed: string | null };
    result: Record<string, never>;
  };
}

/** Sent without waiting for an answer, gateway to control. */
export interface GatewayNotices {
  /** Authenticated sessions of a service, told at each change from or to zero and at most every 100 ms in between. */
  activity: { service: number; sessions: number };
  /** A request to cancel that fits no session of this worker, with its secret in hexadecimal: an older worker, which no
   *  longer listens, may have it. */
  cancel: { service: number; pid: number; secret: string };
  /** Logins that failed, gathered over ten seconds. */
  refused: { service: number; reason: RefusalReason; count: number; client: string; role: string | null };
}

/** An error as it crosses the link. */
export interface LinkError {
  /** SQLSTATE, errno name, or `INTERNAL`. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}
