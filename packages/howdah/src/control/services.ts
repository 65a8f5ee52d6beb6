/** What a user may wish for about single services. A wish is one row; the reconciler is told and carries it out. */
import { HowdahError } from "../kernel/errors.js";
import { checkName } from "../kernel/names.js";
import { checkInitdbArguments, checkSettings, describeSettings, readLog } from "../postgres/index.js";
import {
  checkEndpointPolicy,
  DEFAULT_MAJOR,
  LOOPBACK_ENDPOINT,
  type Major,
  REGULAR,
  type Settings,
} from "../spec/index.js";
import type { ServiceDefinition, ServicePatch, ServiceRecord } from "../store/index.js";
import { type Allocator, requirePort } from "./allocate.js";
import { type Context, setServicePassword, titleOf } from "./context.js";
import type { Reconciler } from "./reconciler.js";
import { checkDatabase, checkPassword, checkUsername } from "./resolve-stack.js";
import type { CreateService, LogLine, ServiceView, UpdateService } from "./types.js";
import type { Views } from "./views.js";
import { waitFor } from "./wait.js";

/** Services made without a project: `howdah services create`, the REST API. */
const DEFAULT_PROJECT = "default";

export class Services {
  readonly #context: Context;
  readonly #reconciler: Reconciler;
  readonly #allocator: Allocator;
  readonly #views: Views;

  constructor(context: Context, reconciler: Reconciler, allocator: Allocator, views: Views) {
    this.#context = context;
    this.#reconciler = reconciler;
    this.#allocator = allocator;
    this.#views = views;
  }

  list(project?: string): ServiceView[] {
    return this.#context.store.services.list(project).map((record) => this.#views.view(record));
  }

  get(id: number, options: { reveal?: boolean } = {}): ServiceView {
    return this.#views.view(this.record(id), options.reveal === true);
  }

  bySlug(slug: string, options: { reveal?: boolean } = {}): ServiceView {
    const record = this.#context.store.services.bySlug(slug);
    if (record === undefined) throw notFound(slug);
    return this.#views.view(record, options.reveal === true);
  }

  find(name: string, project?: string): ServiceView {
    return this.#views.view(findRecord(this.#context, name, project));
  }

  /** Throws SERVICE_NOT_FOUND. */
  record(id: number): ServiceRecord {
    const record = this.#context.store.services.get(id);
    if (record === undefined) throw new HowdahError("SERVICE_NOT_FOUND", `service ${id} does not exist`);
    return record;
  }

  async create(input: CreateService): Promise<ServiceView> {
    const definition: ServiceDefinition = {
      major: input.major ?? DEFAULT_MAJOR,
      image: input.image ?? null,
      database: checkDatabase(input.database ?? "postgres"),
      username: checkUsername(input.username ?? "postgres"),
      memoryBytes: input.memoryBytes ?? null,
      settings: input.settings ?? {},
      initdbArgs: input.initdbArgs ?? [],
      mode: input.mode ?? REGULAR,
      endpoint: checkEndpointPolicy({ ...LOOPBACK_ENDPOINT, ...input.policy }),
    };
    const name = checkName(input.name, "service");
    const password = input.password ? checkPassword(input.password, name) : null;
    checkInitdbArguments(definition.initdbArgs);
    await this.checkSettings(definition.major, definition.settings);
    await this.#checkEngine(definition.major, input.engine ?? null);
    const record = await this.#allocator.insert({
      project: checkName(input.project ?? DEFAULT_PROJECT, "project"),
      name,
      origin: "api",
      definition,
      password,
      port: input.port ?? null,
      engine: input.engine ?? null,
      initScripts: input.initScripts ?? [],
    });
    this.#reconciler.kick(record.id, { fresh: true });
    return this.#views.view(record);
  }

  /** The system's binaries are there or not; the embedded ones can be fetched later. Throws ENGINE_NOT_INSTALLED. */
  async #checkEngine(major: Major, engine: "embedded" | "system" | null): Promise<void> {
    if (engine === "system") await this.#context.engines.resolve(major, engine);
  }

  /** Unknown names and values out of range are told before anything is stored, where the binaries are at hand to ask. */
  async checkSettings(major: Major, settings: Settings): Promise<void> {
    if (Object.keys(settings).length === 0) return;
    const distribution = await this.#context.engines.resolve(major).catch((error: unknown) => {
      if (error instanceof HowdahError && error.code === "ENGINE_NOT_INSTALLED") return null;
      throw error;
    });
    checkSettings(settings, distribution === null ? null : await describeSettings(distribution));
  }

  async update(id: number, input: UpdateService): Promise<ServiceView> {
    const record = this.record(id);
    const was = record.definition;
    if (input.major !== undefined && input.major !== was.major) {
      throw new HowdahError(
        "VERSION_CHANGE_REFUSED",
        `service '${record.name}' holds data of PostgreSQL ${was.major} and cannot be run by ${input.major}`,
      );
    }
    const settings: Record<string, string> = { ...was.settings };
    for (const [name, value] of Object.entries(input.settings ?? {})) {
      if (value === null) delete settings[name];
      else settings[name] = value;
    }
    await this.checkSettings(was.major, settings);
    const definition: ServiceDefinition = {
      ...was,
      settings,
      database: input.database === undefined ? was.database : checkDatabase(input.database),
      username: input.username === undefined ? was.username : checkUsername(input.username),
      memoryBytes: input.memoryBytes === undefined ? was.memoryBytes : input.memoryBytes,
      mode: input.mode ?? was.mode,
      endpoint: checkEndpointPolicy({ ...was.endpoint, ...input.policy }),
    };
    if (input.password !== undefined && input.password !== "") {
      setServicePassword(this.#context.store, id, checkPassword(input.password, record.name));
    }
    const { port } = input;
    if (port === undefined || port === record.port) return this.wish(id, { definition });
    await requirePort(port, this.#context.store.services.ports(), record.port);
    return this.wish(id, { definition, port });
  }

  /** `compose up` of an existing service: everything at once, as the file has it. */
  async replace(id: number, to: { definition: ServiceDefinition; password: string | null; port: number | null }) {
    const record = this.record(id);
    const { store } = this.#context;
    const port = to.port ?? record.port;
    await requirePort(port, store.services.ports(), record.port);
    if (to.password !== null) setServicePassword(store, id, to.password);
    return this.wish(id, { definition: to.definition, port, desired: "running" });
  }

  start(id: number): ServiceView {
    const view = this.wish(id, { desired: "running" });
    // Who starts a service wants to see it run, also one that sleeps.
    this.#context.sleep.want(id);
    return view;
  }

  stop(id: number): ServiceView {
    const view = this.wish(id, { desired: "stopped" });
    this.#context.sleep.giveUp(id, new HowdahError("SERVICE_STOPPED", `service '${view.name}' was stopped`));
    return view;
  }

  restart(id: number): ServiceView {
    return this.wish(id, { desired: "running", restartWanted: this.record(id).restartWanted + 1 });
  }

  remove(id: number): ServiceView {
    return this.wish(id, { desired: "deleted", state: "deleting" });
  }

  wish(id: number, patch: ServicePatch): ServiceView {
    const record = this.record(id);
    if (record.desired === "deleted" && patch.desired !== "deleted") {
      throw new HowdahError("SERVICE_BUSY", `service '${record.name}' is being removed`);
    }
    const next = this.#context.store.services.patch(id, { ...patch, generation: record.generation + 1 });
    this.#reconciler.kick(id, { fresh: true });
    return this.#views.view(next);
  }

  waitFor(id: number, options: { timeoutMs: number; signal?: AbortSignal }): Promise<ServiceView | null> {
    return waitFor(this.#context, this.#reconciler, this.#views, id, options);
  }

  logs(id: number, options: { lines: number; follow: boolean; signal: AbortSignal }): AsyncIterable<LogLine> {
    return readLog(this.#context.layout.service(this.record(id).id), options);
  }
}

function findRecord(context: Context, name: string, project?: string): ServiceRecord {
  const { services } = context.store;
  const slash = name.indexOf("/");
  if (slash > 0) return findRecord(context, name.slice(slash + 1), name.slice(0, slash));
  const named = services.byName(name, project);
  const [first, second] = named;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined) {
    const bySlug = services.bySlug(name);
    if (bySlug !== undefined && (project === undefined || bySlug.project === project)) return bySlug;
    throw notFound(project === undefined ? name : `${project}/${name}`);
  }
  throw new HowdahError(
    "SERVICE_AMBIGUOUS",
    `service '${name}' exists in several projects: ${named.map(titleOf).join(", ")}`,
    { fields: { candidates: named.map(titleOf) } },
  );
}

function notFound(name: string): HowdahError {
  return new HowdahError("SERVICE_NOT_FOUND", `service '${name}' does not exist`);
}
