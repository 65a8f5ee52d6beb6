import type {
  App,
  EndpointPolicy,
  InitScript,
  Major,
  Mode,
  RoleSecret,
  ServiceState,
  Settings,
} from "../spec/index.js";

/** What was wished for, resolved: expressions are gone, the password lies beside it, encrypted. */
export interface ServiceDefinition {
  readonly major: Major;
  readonly image: string | null;
  readonly database: string;
  readonly username: string;
  readonly memoryBytes: number | null;
  readonly settings: Settings;
  readonly initdbArgs: readonly string[];
  readonly mode: Mode;
  readonly endpoint: EndpointPolicy;
}

/** What changes by itself while a service lives; lost at a power cut without harm. Milliseconds. */
export interface SleepRecord {
  /** The server is down because it sleeps. While it runs, the mark means nothing: it is awake. */
  readonly asleep: boolean;
  readonly wakes: number;
  readonly lastWakeMs: number | null;
  readonly lastWakeAt: number | null;
  readonly sleptAt: number | null;
  /** All finished sleeps together. */
  readonly asleepMs: number;
}

/** One row of `services`. Timestamps are milliseconds since the epoch. */
export interface ServiceRecord {
  readonly id: number;
  readonly project: string;
  readonly name: string;
  /** Unique in the installation: the bare name where it was free, else project-name. */
  readonly slug: string;
  readonly origin: "compose" | "api";
  readonly definition: ServiceDefinition;
  /** What the user wants: `deleting` survives a crash and is carried on with. */
  readonly desired: "running" | "stopped" | "deleted";
  readonly state: ServiceState;
  /** One sentence when failed, or a phase such as "initialising" while at work. */
  readonly stateDetail: string | null;
  /** Things to tell until they are cured: refused settings, end of life. */
  readonly notices: readonly string[];
  readonly port: number;
  /** Which binaries it was made with; the same are preferred later, since the ICU versions differ. null: not made yet. */
  readonly engine: "embedded" | "system" | null;
  /** The system user that owns its files and runs it; null when Howdah itself is not root. */
  readonly uid: number | null;
  /** Fingerprint of the role, database and password last applied to the server; null until it was provisioned. */
  readonly provisioned: string | null;
  /** Raised by each wish, so that a waiter can tell whether the state that it sees answers its own wish. */
  readonly generation: number;
  readonly observedGeneration: number;
  /** Raised by `restart`; the running server was started for `restartedFor`. */
  readonly restartWanted: number;
  readonly restartedFor: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type ServicePatch = Partial<Omit<ServiceRecord, "id" | "project" | "name" | "slug" | "createdAt">>;

type ObservedPatch = Pick<ServicePatch, "state" | "stateDetail" | "observedGeneration" | "notices">;

export interface NewService {
  readonly project: string;
  readonly name: string;
  readonly origin: ServiceRecord["origin"];
  readonly definition: ServiceDefinition;
  readonly password: string;
  readonly port: number;
  /** Asked for; null: whichever is found first. */
  readonly engine: ServiceRecord["engine"];
  readonly uid: number | null;
  readonly initScripts: readonly InitScript[];
}

export interface TrashRecord {
  /** Same number as the service had. */
  readonly id: number;
  readonly service: ServiceRecord;
  readonly removedAt: number;
  readonly expiresAt: number;
}

export interface EventRecord {
  readonly id: number;
  readonly at: number;
  readonly serviceId: number | null;
  /** kebab-case: "created", "started", "crashed", "settings-refused". */
  readonly kind: string;
  readonly message: string;
}

export interface ApiKeyRecord {
  readonly id: number;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

/** All durable state of one installation. Synchronous, as SQLite is; every method is one transaction. */
export interface Store extends Disposable {
  readonly services: {
    list(project?: string): ServiceRecord[];
    get(id: number): ServiceRecord | undefined;
    bySlug(slug: string): ServiceRecord | undefined;
    byName(name: string, project?: string): ServiceRecord[];
    /** State `creating`, wanted running, generation 1. Throws SERVICE_EXISTS for a second one of that name in the
     *  project, PORT_TAKEN for a port that a live service holds. */
    insert(service: NewService): ServiceRecord;
    /** Also sets updatedAt. Throws SERVICE_NOT_FOUND, PORT_TAKEN. */
    patch(id: number, patch: ServicePatch): ServiceRecord;
    /** As `patch`, for what is only observed: written at once, but a power cut may take the last of it away again. */
    observe(id: number, patch: ObservedPatch): ServiceRecord;
    /** Zeroes for a service that never slept. */
    sleep(id: number): SleepRecord;
    observeSleep(id: number, patch: Partial<SleepRecord>): SleepRecord;
    /** Roles as they were when the service last went to sleep; kept encrypted. */
    roleSecrets(id: number): RoleSecret[];
    /** One of them, without opening all of them each time; null when there is none. */
    roleSecret(id: number, role: string): RoleSecret | null;
    setRoleSecrets(id: number, secrets: readonly RoleSecret[]): void;
    password(id: number): string;
    setPassword(id: number, password: string): void;
    /** Kept until they ran once. */
    initScripts(id: number): InitScript[];
    clearInitScripts(id: number): void;
    /** Takes away a live service and all that is known of it; nothing happens when there is none. */
    discard(id: number): void;
    /** Ports of live services and of those in the trash: choose outside of them, so that a removed service can come back
     *  at its own. A port that a user asks for by number may be taken from the trash. */
    ports(): Set<number>;
    uids(): Set<number>;
  };
  readonly trash: {
    /** Moves the row (with its password) out of `services`; again: changes nothing. Throws SERVICE_NOT_FOUND. */
    put(id: number, expiresAt: number): TrashRecord;
    list(): TrashRecord[];
    get(id: number): TrashRecord | undefined;
    /** Puts the row back under `name` with `port`, state stopped. Throws TRASH_NOT_FOUND, SERVICE_EXISTS, PORT_TAKEN. */
    restore(id: number, to: { name: string; port: number }): ServiceRecord;
    /** Takes away a removed service and all that is known of it; nothing happens when there is none. */
    purge(id: number): void;
  };
  readonly configs: {
    /** Returns whether it was written (false: it existed and `ifNotSet`). */
    set(project: string, name: string, value: string, options?: { ifNotSet?: boolean }): boolean;
    get(project: string, name: string): string | undefined;
    /** Names only: values cannot be listed. */
    list(project: string): { name: string; updatedAt: number }[];
    remove(project: string, name: string): boolean;
  };
  readonly apps: {
    /** Replaces the apps of a project. Stored encrypted, since literals may be secrets. */
    replace(project: string, apps: readonly App[]): void;
    list(project: string): App[];
    projects(): string[];
  };
  readonly apiKeys: {
    /** Only SHA-256 of the key is kept. Returns the key, this once. */
    create(name: string): { record: ApiKeyRecord; key: string };
    list(): ApiKeyRecord[];
    /** Constant-time; also notes lastUsedAt (at most once a minute). */
    verify(key: string): ApiKeyRecord | undefined;
    remove(id: number): boolean;
  };
  readonly events: {
    append(event: { serviceId: number | null; kind: string; message: string }): void;
    /** Newest first, 100 unless told otherwise. The last 10,000 are kept. */
    list(options?: { serviceId?: number; limit?: number }): EventRecord[];
  };
  /** Small values of the installation itself. */
  readonly meta: {
    get(key: string): string | undefined;
    set(key: string, value: string): void;
    /** As `set`, for what a power cut may take away again. */
    note(key: string, value: string): void;
  };
  /** Secrets of the installation itself, such as the key of its certificate authority; kept encrypted. */
  readonly sealed: {
    get(name: string): string | undefined;
    set(name: string, value: string): void;
    remove(name: string): void;
  };
}
