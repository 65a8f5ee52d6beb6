/** A Control without PostgreSQL: services are rows in a map, and the test decides what becomes of their wishes. */
import { EventEmitter, once } from "node:events";
import type {
  CertificateView,
  Check,
  ConnectionView,
  Control,
  EngineView,
  GatewayView,
  LogLine,
  Measurements,
  ServiceView,
  TrashView,
  UpdateService,
} from "../../control/types.js";
import { HowdahError } from "../../kernel/errors.js";
import { effectiveSsl, LOOPBACK_ENDPOINT, REGULAR, type Stack } from "../../spec/index.js";
import type { ApiKeyRecord, EventRecord } from "../../store/index.js";

export const PASSWORD = "s3cret/with:odd@parts";
export const API_KEY = "hk_0123456789abcdef";
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export function serviceView(view: Partial<ServiceView> = {}): ServiceView {
  const policy = view.policy ?? LOOPBACK_ENDPOINT;
  return {
    id: 1,
    project: "default",
    name: "database",
    slug: "database",
    origin: "api",
    state: "running",
    stateDetail: null,
    desired: "running",
    busy: false,
    major: 18,
    version: "18.4",
    engine: "embedded",
    image: null,
    database: "postgres",
    username: "postgres",
    memoryBytes: 512 * 1024 ** 2,
    settings: {},
    endpoint: { host: "127.0.0.1", port: 5432 },
    mode: REGULAR,
    policy,
    ssl: effectiveSsl(policy),
    sleep: {
      awakeBecause: "mode is regular",
      connections: 0,
      wakes: 0,
      lastWakeMs: null,
      lastWakeAt: null,
      asleepSince: null,
      asleepMs: 0,
    },
    uri: "postgresql://postgres:***@127.0.0.1:5432/postgres",
    password: null,
    pid: 4711,
    dataBytes: 1_000,
    notices: [],
    createdAt: NOW,
    updatedAt: NOW,
    ...view,
  };
}

export class FakeControl implements Control {
  readonly rows = new Map<number, ServiceView>();
  /** Reasons why wishes failed, by service. */
  readonly failures = new Map<number, Error>();
  readonly logLines = new Map<number, LogLine[]>();
  readonly calls: { name: string; args: readonly unknown[] }[] = [];
  readonly #changed = new EventEmitter().setMaxListeners(0);
  /** Followers of logs that have not ended yet. */
  following = 0;
  /** What a new wish does: nothing until the test says so, or comes true at once. */
  instantly = true;
  closed: { all: boolean } | undefined;

  /** Puts a row in place and wakes whoever waits for it. */
  set(view: ServiceView): ServiceView {
    this.rows.set(view.id, view);
    this.#changed.emit("changed");
    return view;
  }

  change(id: number, change: Partial<ServiceView>): ServiceView {
    return this.set({ ...this.services.get(id), ...change });
  }

  fail(id: number, error: Error): void {
    this.failures.set(id, error);
    this.#changed.emit("changed");
  }

  gone(id: number): void {
    this.rows.delete(id);
    this.#changed.emit("changed");
  }

  addLine(id: number, line: LogLine): void {
    this.logLines.set(id, [...(this.logLines.get(id) ?? []), line]);
    this.#changed.emit("changed");
  }

  readonly services: Control["services"] = {
    list: (project) => [...this.rows.values()].filter((v) => project === undefined || v.project === project),
    get: (id, options = {}) => {
      const view = this.rows.get(id);
      if (view === undefined) throw new HowdahError("SERVICE_NOT_FOUND", `service ${id} does not exist`);
      return options.reveal ? revealed(view) : view;
    },
    bySlug: (slug, options) =>
      this.services.get(
        this.#idOf((v) => v.slug === slug, slug),
        options,
      ),
    find: (name, project) =>
      this.services.get(
        this.#idOf(
          (v) => `${v.project}/${v.name}` === name || (v.name === name && (project ?? v.project) === v.project),
          name,
        ),
      ),
    create: async (input) => {
      this.calls.push({ name: "create", args: [input] });
      const id = this.rows.size + 1;
      const settled = { state: "running", busy: false } as const;
      const begun = { state: "creating", stateDetail: "initialising", busy: true } as const;
      return this.set(
        serviceView({
          id,
          name: input.name,
          slug: input.name,
          project: input.project ?? "default",
          ...(this.instantly ? settled : begun),
        }),
      );
    },
    update: async (id: number, input: UpdateService) => {
      this.calls.push({ name: "update", args: [id, input] });
      return this.change(id, {});
    },
    start: (id) => this.#wish(id, "running", { state: "creating" }),
    stop: (id) => this.#wish(id, "stopped", { state: "stopping" }),
    restart: (id) => this.#wish(id, "running", { state: "stopping" }),
    remove: (id) => {
      const view = this.change(id, { desired: "deleted", state: "deleting", busy: true });
      if (this.instantly) this.gone(id);
      return view;
    },
    waitFor: async (id, options) => {
      const known = this.rows.has(id);
      for (;;) {
        const failure = this.failures.get(id);
        if (failure !== undefined) throw failure;
        const view = this.rows.get(id);
        if (view === undefined && known) return null;
        if (view === undefined) throw new HowdahError("SERVICE_NOT_FOUND", `service ${id} does not exist`);
        if (!view.busy) return view;
        const limit = AbortSignal.timeout(options.timeoutMs);
        const signals = options.signal === undefined ? [limit] : [limit, options.signal];
        await once(this.#changed, "changed", { signal: AbortSignal.any(signals) });
      }
    },
    logs: (id, options) => this.#logs(id, options),
  };

  readonly stacks: Control["stacks"] = {
    plan: async (stack) => {
      this.calls.push({ name: "plan", args: [stack] });
      return planOf(stack);
    },
    apply: async (stack) => {
      this.calls.push({ name: "apply", args: [stack] });
      return {
        plan: planOf(stack),
        services: [serviceView({ project: stack.project })],
        apps: [{ name: "web", command: "howdah run web -- npm start" }],
      };
    },
    down: (project, options) => {
      this.calls.push({ name: "down", args: [project, options] });
      return this.services.list(project);
    },
  };

  readonly projects: Control["projects"] = {
    list: () => ["default"],
    apps: () => [],
    environment: (project, name) => ({ PROJECT: project, NAME: name }),
  };

  readonly configs: Control["configs"] = {
    set: (...args) => {
      this.calls.push({ name: "configs.set", args });
      return !args[3].ifNotSet;
    },
    list: () => [{ name: "POSTGRES_PASSWORD", updatedAt: NOW }],
    remove: (project, name) => {
      throw new HowdahError("CONFIG_NOT_FOUND", `config '${name}' is not set in project '${project}'`);
    },
  };

  readonly engines: Control["engines"] = {
    list: async () => [engine],
    install: async (major, onProgress) => {
      onProgress?.("downloading");
      await new Promise((resolve) => setImmediate(resolve));
      onProgress?.("copying");
      if (major === 15) throw new HowdahError("ENGINE_DOWNLOAD_FAILED", "the registry does not answer");
      return { ...engine, major };
    },
    remove: async (major) => {
      this.calls.push({ name: "engines.remove", args: [major] });
    },
  };

  readonly trash: Control["trash"] = {
    list: () => [trashed],
    restore: async (...args) => {
      this.calls.push({ name: "trash.restore", args });
      return serviceView();
    },
  };

  readonly keys: Control["keys"] = {
    create: (name) => ({ record: { ...keyRecord, name }, key: API_KEY }),
    list: () => [keyRecord],
    remove: (id) => {
      this.calls.push({ name: "keys.remove", args: [id] });
    },
    verify: (key) => (key === API_KEY ? keyRecord : undefined),
  };

  /** What `connections` answers, before it is narrowed. */
  clients: ConnectionView[] = [];

  async connections(serviceId?: number): Promise<ConnectionView[]> {
    return this.clients.filter((client) => serviceId === undefined || client.serviceId === serviceId);
  }

  /** What `gateway.view` answers; a restart counts its number up. */
  worker: GatewayView = { pid: 4712, version: "1.2.3", startedAt: NOW, draining: [] };

  readonly gateway: Control["gateway"] = {
    view: () => this.worker,
    restart: async () => {
      const { pid } = this.worker;
      if (pid === null) throw new HowdahError("GATEWAY_UNREACHABLE", "there is no gateway");
      this.worker = { ...this.worker, pid: pid + 1, draining: [{ pid, sessions: 1 }] };
      return this.worker;
    },
  };

  async measurements(): Promise<Measurements> {
    return { services: this.services.list(), gateway: null, wakes: { buckets: [], sum: 0, count: 0 } };
  }

  #ownCertificate: string | undefined;

  #presented(): CertificateView {
    const own = this.#ownCertificate;
    return { cert: own ?? "issued", own: own !== undefined, notAfter: NOW, names: ["localhost"] };
  }

  readonly certificates: Control["certificates"] = {
    authority: async () => "-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n",
    present: async () => this.#presented(),
    use: async ({ cert, key }) => {
      if (key !== `key of ${cert}`) throw new HowdahError("CERTIFICATE_INVALID", "the key does not belong to it");
      this.#ownCertificate = cert;
      return this.#presented();
    },
    reset: async () => {
      this.#ownCertificate = undefined;
      return this.#presented();
    },
  };

  events(options: { serviceId?: number; limit?: number } = {}): EventRecord[] {
    this.calls.push({ name: "events", args: [options] });
    return [{ id: 1, at: NOW, serviceId: 1, kind: "created", message: "created" }];
  }

  async doctor(): Promise<Check[]> {
    return [{ name: "disk", status: "warning", message: "little space is left", hint: "Free some." }];
  }

  async close(options: { all: boolean }): Promise<void> {
    this.closed = options;
  }

  #wish(id: number, desired: "running" | "stopped", begun: Partial<ServiceView>): ServiceView {
    return this.change(id, this.instantly ? { desired, state: desired } : { desired, busy: true, ...begun });
  }

  #idOf(matches: (view: ServiceView) => boolean, name: string): number {
    const view = [...this.rows.values()].find(matches);
    if (view === undefined) throw new HowdahError("SERVICE_NOT_FOUND", `service '${name}' does not exist`);
    return view.id;
  }

  async *#logs(id: number, options: { lines: number; follow: boolean; signal: AbortSignal }) {
    this.following++;
    try {
      let next = Math.max(0, (this.logLines.get(id) ?? []).length - options.lines);
      for (;;) {
        const lines = this.logLines.get(id) ?? [];
        while (next < lines.length) yield lines[next++] as LogLine;
        if (this.failures.has(id)) throw this.failures.get(id) as Error;
        if (!options.follow) return;
        await once(this.#changed, "changed", { signal: options.signal });
      }
    } finally {
      this.following--;
    }
  }
}

function revealed(view: ServiceView): ServiceView {
  return { ...view, password: PASSWORD, uri: view.uri.replace("***", encodeURIComponent(PASSWORD)) };
}

function planOf(stack: Stack) {
  const changes = stack.services.map((s) => ({ action: "create" as const, service: s.name, details: ["start it"] }));
  return { project: stack.project, changes, notices: [] };
}

const engine: EngineView = {
  major: 18,
  version: "18.4",
  kind: "embedded",
  installed: true,
  path: "/engines/18",
  services: 1,
  endOfLife: false,
};

const trashed: TrashView = {
  id: 3,
  project: "default",
  name: "old",
  major: 17,
  removedAt: NOW,
  expiresAt: NOW + 7 * 86_400_000,
};

const keyRecord: ApiKeyRecord = { id: 1, name: "laptop", createdAt: NOW, lastUsedAt: null };
