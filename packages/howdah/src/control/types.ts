import type { GatewayStats } from "../gateway/index.js";
import type {
  App,
  EndpointPolicy,
  InitScript,
  Major,
  Mode,
  ServiceState,
  Settings,
  Ssl,
  Stack,
  StackPlan,
} from "../spec/index.js";
import type { ApiKeyRecord, EventRecord } from "../store/index.js";

/** What a client may see of a service. The password is only here when it was asked for. */
export interface ServiceView {
  readonly id: number;
  readonly project: string;
  readonly name: string;
  readonly slug: string;
  readonly origin: "compose" | "api";
  readonly state: ServiceState;
  readonly stateDetail: string | null;
  readonly desired: "running" | "stopped" | "deleted";
  /** True while a wish has not been carried out yet and is being worked on. */
  readonly busy: boolean;
  readonly major: Major;
  /** Full version of the binaries that run it, such as `18.4`; null before the first start. */
  readonly version: string | null;
  readonly engine: "embedded" | "system" | null;
  readonly image: string | null;
  readonly database: string;
  readonly username: string;
  readonly memoryBytes: number;
  readonly settings: Settings;
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly mode: Mode;
  /** As wished for; `ssl` is what it comes to. */
  readonly policy: EndpointPolicy;
  readonly ssl: Ssl;
  readonly sleep: SleepView;
  /** With `***` for the password unless revealed. */
  readonly uri: string;
  readonly password: string | null;
  readonly pid: number | null;
  readonly dataBytes: number | null;
  readonly notices: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface SleepView {
  /** Why the server runs right now: `mode is regular`, `1 open connection from 127.0.0.1 (psql)`, `vacuum of table
   *  public.orders`, `idle, sleeps in 4 s`. null when it does not run. */
  readonly awakeBecause: string | null;
  readonly connections: number;
  readonly wakes: number;
  /** Milliseconds from the first client's wish to the moment the server took connections. */
  readonly lastWakeMs: number | null;
  readonly lastWakeAt: number | null;
  /** Since when it sleeps; null when it does not. */
  readonly asleepSince: number | null;
  /** All time asleep, the present sleep included. */
  readonly asleepMs: number;
}

/** A client of a service, whom PostgreSQL itself only knows as `[local]`. */
export interface ConnectionView {
  readonly service: string;
  readonly serviceId: number;
  /** The backend's process; null while the client waits for the server. */
  readonly pid: number | null;
  readonly client: string;
  readonly username: string;
  readonly database: string;
  readonly application: string;
  readonly tls: boolean;
  readonly state: "held" | "connected";
  readonly since: number;
}

export interface GatewayView {
  /** null: none is there, it is being started. */
  readonly pid: number | null;
  readonly version: string | null;
  readonly startedAt: number | null;
  /** Older workers that only serve what they have. */
  readonly draining: readonly { readonly pid: number; readonly sessions: number }[];
}

export interface CertificateView {
  /** The chain in PEM. */
  readonly cert: string;
  /** The user's own, not one that the installation issued. */
  readonly own: boolean;
  readonly notAfter: number;
  readonly names: readonly string[];
}

/** Everything that is counted, for metrics. */
export interface Measurements {
  readonly services: readonly ServiceView[];
  readonly gateway: GatewayStats | null;
  /** Wake latencies in seconds since control started: how many were at most so long. */
  readonly wakes: {
    readonly buckets: readonly { readonly le: number; readonly count: number }[];
    readonly sum: number;
    readonly count: number;
  };
}

export interface CreateService {
  readonly name: string;
  readonly project?: string;
  readonly major?: Major;
  readonly image?: string | null;
  /** Default: `postgres`. */
  readonly database?: string;
  readonly username?: string;
  /** Absent or empty: generated. */
  readonly password?: string;
  readonly port?: number | null;
  readonly memoryBytes?: number | null;
  readonly settings?: Settings;
  readonly initdbArgs?: readonly string[];
  /** Which binaries to make it with; absent or null: the embedded ones where there are any. Kept for ever. */
  readonly engine?: "embedded" | "system" | null;
  readonly initScripts?: readonly InitScript[];
  readonly mode?: Mode;
  readonly policy?: Partial<EndpointPolicy>;
}

/** Absent: unchanged. A setting of null is taken away; settings not named stay. */
export interface UpdateService {
  readonly password?: string;
  readonly database?: string;
  readonly username?: string;
  readonly memoryBytes?: number | null;
  readonly settings?: Readonly<Record<string, string | null>>;
  readonly major?: Major;
  /** Moves the endpoint; only ever on request. Open connections stay. */
  readonly port?: number;
  readonly mode?: Mode;
  /** Merged field by field. */
  readonly policy?: Partial<EndpointPolicy>;
}

export interface EngineView {
  readonly major: Major;
  readonly version: string;
  readonly kind: "embedded" | "system";
  readonly installed: boolean;
  readonly path: string | null;
  readonly services: number;
  readonly endOfLife: boolean;
}

export interface TrashView {
  readonly id: number;
  readonly project: string;
  readonly name: string;
  readonly major: Major;
  readonly removedAt: number;
  readonly expiresAt: number;
}

export interface Check {
  readonly name: string;
  readonly status: "ok" | "warning" | "error";
  readonly message: string;
  readonly hint?: string;
}

export interface ApplyResult {
  readonly plan: StackPlan;
  /** Services of the stack that now are wanted running, to be waited for. */
  readonly services: readonly ServiceView[];
  /** How to start what Howdah does not run: `howdah run app -- npm start`. */
  readonly apps: readonly { readonly name: string; readonly command: string }[];
}

/**
 * What doors may ask of the control plane. Mutations write the wish durably and return at once; `waitFor` follows
 * the reconciler until the wish came true. Errors are HowdahErrors.
 */
export interface Control {
  readonly services: {
    list(project?: string): ServiceView[];
    get(id: number, options?: { reveal?: boolean }): ServiceView;
    bySlug(slug: string, options?: { reveal?: boolean }): ServiceView;
    /** `name`, `project/name` or a slug. Throws SERVICE_NOT_FOUND, SERVICE_AMBIGUOUS. */
    find(name: string, project?: string): ServiceView;
    create(input: CreateService): Promise<ServiceView>;
    update(id: number, input: UpdateService): Promise<ServiceView>;
    start(id: number): ServiceView;
    stop(id: number): ServiceView;
    restart(id: number): ServiceView;
    remove(id: number): ServiceView;
    /** Resolves when running, stopped or gone as wished (null: gone). Throws SERVICE_FAILED, INIT_SCRIPT_FAILED, TIMEOUT, …,
     *  the reason why it failed. */
    waitFor(id: number, options: { timeoutMs: number; signal?: AbortSignal }): Promise<ServiceView | null>;
    /** The server's log as text lines, oldest first; with `follow` it goes on until the signal. */
    logs(id: number, options: { lines: number; follow: boolean; signal: AbortSignal }): AsyncIterable<LogLine>;
  };
  readonly stacks: {
    /** Changes nothing. Throws CONFIG_MISSING (message `missing configs ["A","B"] …`) and the like. */
    plan(stack: Stack): Promise<StackPlan>;
    apply(stack: Stack): Promise<ApplyResult>;
    /** Stops the project's services, or with `volumes` removes them (to the trash). Throws PROJECT_NOT_FOUND. */
    down(project: string, options: { volumes: boolean }): ServiceView[];
  };
  readonly projects: {
    list(): string[];
    apps(project: string): App[];
    /** The resolved environment of an app, or the POSTGRES_* set of a service. Throws APP_NOT_FOUND, CONFIG_MISSING. */
    environment(project: string, name: string): Record<string, string>;
  };
  readonly configs: {
    set(project: string, name: string, value: string, options: { ifNotSet: boolean }): boolean;
    list(project: string): { name: string; updatedAt: number }[];
    remove(project: string, name: string): void;
  };
  readonly engines: {
    list(): Promise<EngineView[]>;
    install(major: Major, onProgress?: (message: string) => void): Promise<EngineView>;
    remove(major: Major): Promise<void>;
  };
  readonly trash: {
    list(): TrashView[];
    /** By name (or project/name) or id; under `as` when its name was taken meanwhile. The service comes back stopped, then starts. */
    restore(nameOrId: string | number, options?: { as?: string }): Promise<ServiceView>;
  };
  readonly keys: {
    create(name: string): { record: ApiKeyRecord; key: string };
    list(): ApiKeyRecord[];
    remove(id: number): void;
    verify(key: string): ApiKeyRecord | undefined;
  };
  /** Clients of one service or of all, through whichever gateway worker. */
  connections(serviceId?: number): Promise<ConnectionView[]>;
  gateway: {
    view(): GatewayView;
    /** A new worker takes the listeners over, the old one serves what it has. Throws GATEWAY_UNREACHABLE. */
    restart(): Promise<GatewayView>;
  };
  measurements(): Promise<Measurements>;
  certificates: {
    /** The authority's certificate in PEM, made when there is none yet. */
    authority(): Promise<string>;
    /** What the endpoints present now. */
    present(): Promise<CertificateView>;
    /** The user's own. Throws CERTIFICATE_INVALID. */
    use(certificate: { cert: string; key: string }): Promise<CertificateView>;
    /** Back to the one that the installation issues. */
    reset(): Promise<CertificateView>;
  };
  events(options?: { serviceId?: number; limit?: number }): EventRecord[];
  doctor(): Promise<Check[]>;
  /** Stops deciding; PostgreSQL servers run on unless `all`. */
  close(options: { all: boolean }): Promise<void>;
}

export interface LogLine {
  /** ISO 8601, or null where the line had no stamp (output of a script or of the start itself). */
  readonly at: string | null;
  /** PostgreSQL's severity: LOG, ERROR, FATAL, …; null for raw lines. */
  readonly level: string | null;
  readonly message: string;
}
