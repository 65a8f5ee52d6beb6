import type { Diagnostic, Stack, StackPlan } from "../../spec/index.js";

/**
 * The wire shapes of the REST API in snake_case, as the Temps contract has them, and the client that the CLI and the
 * app host use. Types only: a command that lists services must not load the validators to do so.
 */
export interface WireService {
  readonly id: number;
  readonly name: string;
  readonly service_type: "postgres";
  /** `running`, `stopped`, …: the states of design.md. */
  readonly status: string;
  readonly version: string | null;
  /** URI with `***` for the password unless revealed. */
  readonly connection_info: string | null;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly updated_at: string;
  // What Howdah adds:
  readonly project: string;
  readonly slug: string;
  readonly origin: "compose" | "api";
  readonly status_detail: string | null;
  readonly desired: "running" | "stopped" | "deleted";
  readonly busy: boolean;
  /** Where a client on this machine connects to. */
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly mode: WireMode;
  /** What the wish comes to, in Temps's words. */
  readonly ssl_mode: "disable" | "allow" | "require";
  /** The address that is listened on. */
  readonly listen: string;
  /** Networks that clients may come from; empty: any. */
  readonly allow: readonly string[];
  /** How long a client is held before it gets an error. */
  readonly hold_ms: number;
  readonly sleep: WireSleep;
  readonly engine: "embedded" | "system" | null;
  readonly image: string | null;
  readonly pid: number | null;
  readonly data_bytes: number | null;
  readonly memory_bytes: number;
  readonly notices: readonly string[];
}

export interface WireMode {
  readonly kind: "regular" | "flash";
  /** flash only: how long without a client until it sleeps. */
  readonly timeout_ms?: number | undefined;
}

export interface WireSleep {
  /** Why the server runs right now: `1 open connection from 127.0.0.1 (psql)`; null when it does not. */
  readonly awake_because: string | null;
  readonly connections: number;
  readonly wakes: number;
  /** From the first client's wish to the moment the server took connections. */
  readonly last_wake_ms: number | null;
  readonly last_wake_at: string | null;
  /** Since when it sleeps; null when it does not. */
  readonly asleep_since: string | null;
  /** All time asleep, the present sleep included. */
  readonly asleep_ms: number;
}

/** A client of a service; PostgreSQL itself knows it only as `[local]`. */
export interface WireConnection {
  /** `project/name` or the bare name. */
  readonly service: string;
  readonly service_id: number;
  /** The backend's process; null while the client waits for the server. */
  readonly pid: number | null;
  /** `127.0.0.1:50312` */
  readonly client: string;
  readonly username: string;
  readonly database: string;
  readonly application: string;
  readonly tls: boolean;
  readonly state: "held" | "connected";
  readonly since: string;
}

export interface WireGateway {
  /** null: none is there, it is being started. */
  readonly pid: number | null;
  readonly version: string | null;
  readonly started_at: string | null;
  /** Older ones that only serve the connections they have. */
  readonly draining: readonly { readonly pid: number; readonly sessions: number }[];
}

/** What the endpoints with TLS present. */
export interface WireCertificate {
  /** PEM, the server's own certificate first. */
  readonly cert: string;
  /** Whether it is one that the user gave, instead of one that the installation issued. */
  readonly own: boolean;
  readonly not_after: string;
  /** Names and addresses that it is made out to. */
  readonly names: readonly string[];
}

/** GET /external-services/{id}: the contract's ExternalServiceDetails. `?reveal=true` shows the password. */
export interface WireServiceDetails {
  readonly service: WireService;
  /** Text values: version, database, username, password (`***` unless revealed), host, port, memory, set.<name>… */
  readonly current_parameters: Readonly<Record<string, string>>;
  /** JSON Schema of what create takes. */
  readonly parameter_schema: unknown;
}

export interface ServerStatus {
  /** http://127.0.0.1:7700 */
  readonly url: string;
  readonly version: string;
  readonly home: string;
  readonly control: { readonly pid: number; readonly started_at: string };
  readonly gateway: WireGateway;
  readonly services: { readonly total: number; readonly running: number; readonly sleeping: number };
}

export interface WireEngine {
  readonly major: number;
  readonly version: string;
  readonly kind: "embedded" | "system";
  readonly installed: boolean;
  readonly path: string | null;
  readonly services: number;
  readonly end_of_life: boolean;
}

export interface WireTrash {
  readonly id: number;
  readonly project: string;
  readonly name: string;
  readonly major: number;
  readonly removed_at: string;
  readonly expires_at: string;
}

export interface WireEvent {
  readonly id: number;
  readonly at: string;
  readonly service_id: number | null;
  readonly kind: string;
  readonly message: string;
}

export interface WireKey {
  readonly id: number;
  readonly name: string;
  readonly created_at: string;
  readonly last_used_at: string | null;
}

export interface WireCheck {
  readonly name: string;
  readonly status: "ok" | "warning" | "error";
  readonly message: string;
  readonly hint?: string;
}

export interface WireLogLine {
  readonly at: string | null;
  readonly level: string | null;
  readonly message: string;
}

/** GET /external-services/{id}/wait: `done` when the wish came true, with null when the service is gone. */
export interface WireWait {
  readonly done: boolean;
  readonly service: WireService | null;
}

interface ApplyResponse {
  readonly plan: StackPlan;
  readonly services: readonly WireService[];
  readonly apps: readonly { readonly name: string; readonly command: string }[];
}

/** RFC 7807, as the contract has it; `extensions` carries code, hint, request_id and the error's fields. */
export interface WireProblem {
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  readonly extensions: {
    readonly code: string;
    readonly hint: string;
    readonly request_id: string;
    readonly fields?: Readonly<Record<string, unknown>>;
    readonly diagnostics?: readonly Diagnostic[];
  };
}

/** Temps's parameters: version, database, username, password, port, host, memory, max_connections, docker_image,
 *  ssl_mode, initdb_args, and ours: mode, timeout, listen, allow, hold, engine, and `set.<name>` for any setting of PostgreSQL. Values are text, numbers or booleans. */
type Parameters = Readonly<Record<string, unknown>>;

/**
 * Every call rejects with a HowdahError: the server's own (code, message, hint as sent) or SERVER_UNREACHABLE.
 * `wait` follows the service until the wish came true, calling `onChange` whenever status or status_detail changes;
 * it survives a restart of the control process in between.
 */
export interface HowdahClient {
  status(): Promise<ServerStatus>;
  services: {
    list(options?: { project?: string }): Promise<WireService[]>;
    details(id: number, options?: { reveal?: boolean }): Promise<WireServiceDetails>;
    /** `name`, `project/name` or slug. */
    find(name: string, options?: { project?: string; reveal?: boolean }): Promise<WireServiceDetails>;
    /** Returns as soon as the wish is stored (`?wait=false`). */
    create(body: {
      name: string;
      service_type: string;
      version?: string | null;
      parameters: Parameters;
      project?: string;
    }): Promise<WireService>;
    update(id: number, body: { parameters: Parameters; docker_image?: string | null }): Promise<WireService>;
    start(id: number): Promise<WireService>;
    stop(id: number): Promise<WireService>;
    restart(id: number): Promise<WireService>;
    remove(id: number): Promise<void>;
    /** null: the service is gone, as wished. */
    wait(
      id: number,
      options: { timeoutMs: number; onChange?: (service: WireService) => void; signal?: AbortSignal },
    ): Promise<WireService | null>;
    logs(id: number, options: { lines: number; follow: boolean; signal?: AbortSignal }): AsyncIterable<WireLogLine>;
    connections(id: number): Promise<WireConnection[]>;
  };
  stacks: {
    plan(stack: Stack): Promise<StackPlan>;
    apply(stack: Stack): Promise<ApplyResponse>;
    down(project: string, options: { volumes: boolean }): Promise<WireService[]>;
  };
  projects: {
    list(): Promise<string[]>;
    environment(project: string, name: string): Promise<Record<string, string>>;
  };
  configs: {
    /** Resolves to whether it was written (false: it was set already and `ifNotSet`). */
    set(project: string, name: string, value: string, options?: { ifNotSet?: boolean }): Promise<boolean>;
    list(project: string): Promise<{ name: string; updated_at: string }[]>;
    remove(project: string, name: string): Promise<void>;
  };
  engines: {
    list(): Promise<WireEngine[]>;
    install(major: number, onProgress?: (message: string) => void): Promise<WireEngine>;
    remove(major: number): Promise<void>;
  };
  trash: {
    list(): Promise<WireTrash[]>;
    restore(nameOrId: string, options?: { as?: string }): Promise<WireService>;
  };
  keys: {
    create(name: string): Promise<{ key: string; record: WireKey }>;
    list(): Promise<WireKey[]>;
    remove(id: number): Promise<void>;
  };
  events(options?: { serviceId?: number; limit?: number }): Promise<WireEvent[]>;
  doctor(): Promise<WireCheck[]>;
  /** Clients of all services. */
  connections(): Promise<WireConnection[]>;
  /** A new gateway takes the listeners over, the old one serves what it has. Resolves when it has taken over. */
  restartGateway(): Promise<WireGateway>;
  /** Prometheus's text format. */
  metrics(): Promise<string>;
  /** The installation's authority in PEM, for clients' `sslrootcert`. */
  ca(): Promise<string>;
  certificate(): Promise<WireCertificate>;
  /** The user's own, PEM each. Rejects with CERTIFICATE_INVALID. */
  useCertificate(certificate: { cert: string; key: string }): Promise<WireCertificate>;
  /** Back to the one that the installation issues. */
  resetCertificate(): Promise<WireCertificate>;
  /** What the installation's file `encryption_key` holds, to be put back as it was; over the Unix socket only. */
  recoveryKey(): Promise<string>;
  /** Ends the control process, with `all` every PostgreSQL server before it. Resolves when the socket is closed. */
  shutdown(options: { all: boolean }): Promise<void>;
}
