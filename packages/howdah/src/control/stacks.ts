/** `up`, `plan` and `down`: a whole project at once. Everything that can be refused is refused before anything is written. */
import { HowdahError, isHowdahError } from "../kernel/errors.js";
import {
  changeNeeds,
  checkInitdbArguments,
  checkSettings,
  describeSettings,
  passwordWorks,
  type SettingDescriptions,
  verifierMatches,
} from "../postgres/index.js";
import type { Stack, StackPlan } from "../spec/index.js";
import type { ServiceRecord } from "../store/index.js";
import { type Allocator, requirePort } from "./allocate.js";
import { type Context, serverSpec } from "./context.js";
import { planStack } from "./plan-stack.js";
import type { Reconciler } from "./reconciler.js";
import { type DesiredService, overriddenByConfig, resolveStack } from "./resolve-stack.js";
import type { Services } from "./services.js";
import type { ApplyResult, ServiceView } from "./types.js";

export class Stacks {
  readonly #context: Context;
  readonly #reconciler: Reconciler;
  readonly #allocator: Allocator;
  readonly #services: Services;
  /** The last application of each project: two at once would both find a service missing, and both make it. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(context: Context, reconciler: Reconciler, allocator: Allocator, services: Services) {
    this.#context = context;
    this.#reconciler = reconciler;
    this.#allocator = allocator;
    this.#services = services;
  }

  async plan(stack: Stack): Promise<StackPlan> {
    return (await this.#prepare(stack)).plan;
  }

  apply(stack: Stack): Promise<ApplyResult> {
    const before = this.#turns.get(stack.project) ?? Promise.resolve();
    const result = before.then(() => this.#apply(stack));
    const turn = result
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(stack.project) === turn) this.#turns.delete(stack.project);
      });
    this.#turns.set(stack.project, turn);
    return result;
  }

  async #apply(stack: Stack): Promise<ApplyResult> {
    const { store } = this.#context;
    const { plan, desired } = await this.#prepare(stack);
    const ids: number[] = [];
    for (const service of desired) ids.push(await this.#applyService(stack.project, service, plan));
    store.apps.replace(stack.project, stack.apps);
    return {
      plan,
      services: ids.map((id) => this.#services.get(id)),
      apps: stack.apps.map((app) => ({ name: app.name, command: startCommand(stack.project, app.name, app.command) })),
    };
  }

  down(project: string, options: { volumes: boolean }): ServiceView[] {
    const records = this.#context.store.services.list(project);
    if (records.length === 0 && !this.#context.store.apps.projects().includes(project)) {
      throw new HowdahError("PROJECT_NOT_FOUND", `project '${project}' has no services`);
    }
    const live = records.filter((record) => record.desired !== "deleted");
    return live.map((r) => (options.volumes ? this.#services.remove(r.id) : this.#services.stop(r.id)));
  }

  async #prepare(stack: Stack): Promise<{ plan: StackPlan; desired: DesiredService[] }> {
    const { store, engines } = this.#context;
    const config = (name: string) => store.configs.get(stack.project, name);
    const desired = resolveStack(stack, config);
    const current = store.services.list(stack.project);
    const known = await engines.list();
    const described = new Map<number, SettingDescriptions>();
    for (const service of desired) {
      const { major, settings } = service.definition;
      if (known.some((e) => e.major === major && e.installed) && !described.has(major)) {
        described.set(major, await describeSettings(await engines.resolve(major)));
      }
      await about(service.name, "command", () => checkSettings(settings, described.get(major) ?? null));
      await about(service.name, "environment", () => checkInitdbArguments(service.definition.initdbArgs));
    }
    await this.#checkPorts(desired, current);
    const works = await this.#passwordsThatWork(desired, current);
    const plan = planStack({
      project: stack.project,
      desired,
      current: current
        .filter((record) => record.desired !== "deleted")
        .map((record) => ({
          record,
          passwordMatches: (password) => store.services.password(record.id) === password && works.has(record.id),
        })),
      needsRestart: (major, names) => {
        const describe = described.get(major);
        return describe === undefined || changeNeeds(names, describe) === "restart";
      },
      missingEngines: new Set(
        desired.map((d) => d.definition.major).filter((m) => !known.some((e) => e.major === m && e.installed)),
      ),
    });
    const notices = [...plan.notices, ...overriddenByConfig(stack, config)];
    return { plan: { ...plan, notices }, desired };
  }

  async #checkPorts(desired: readonly DesiredService[], current: readonly ServiceRecord[]): Promise<void> {
    const taken = this.#context.store.services.ports();
    const asked = new Map<number, string>();
    for (const { name, port } of desired) {
      if (port === null) continue;
      const other = asked.get(port);
      if (other !== undefined) {
        throw new HowdahError("PORT_TAKEN", `services '${other}' and '${name}' both ask for port ${port}`, {
          fields: { port, service: name, part: "port" },
        });
      }
      asked.set(port, name);
      const own = current.find((record) => record.name === name)?.port ?? null;
      await about(name, "port", () => requirePort(port, taken, own));
    }
  }

  /** Someone may have altered the role by SQL: `up` asserts what the file says, so it asks the server itself. */
  async #passwordsThatWork(
    desired: readonly DesiredService[],
    current: readonly ServiceRecord[],
  ): Promise<Set<number>> {
    const { store, engines } = this.#context;
    const works = new Set<number>();
    for (const record of current) {
      const wish = desired.find((d) => d.name === record.name);
      if (record.state === "sleeping" && wish !== undefined) {
        if (this.#keptVerifierMatches(record)) works.add(record.id);
        continue;
      }
      if (record.state !== "running" || record.provisioned === null || wish === undefined) {
        works.add(record.id);
        continue;
      }
      const spec = serverSpec(this.#context, record, await engines.resolve(record.definition.major, record.engine));
      const { username, database } = record.definition;
      const password = store.services.password(record.id);
      if (await passwordWorks(spec, { username, database, password }).catch(unlessDown)) works.add(record.id);
    }
    return works;
  }

  /** A sleeping server need not be woken to be asked: its roles are as they were. */
  #keptVerifierMatches(record: ServiceRecord): boolean {
    const { services } = this.#context.store;
    const kept = services.roleSecrets(record.id).find(({ role }) => role === record.definition.username);
    return kept?.verifier != null && verifierMatches(kept.verifier, services.password(record.id));
  }

  async #applyService(project: string, service: DesiredService, plan: StackPlan): Promise<number> {
    const { store } = this.#context;
    const existing = store.services.byName(service.name, project)[0];
    if (existing === undefined) {
      const record = await this.#allocator.insert({ ...service, project, origin: "compose" });
      this.#reconciler.kick(record.id, { fresh: true });
      return record.id;
    }
    const change = plan.changes.find((c) => c.service === service.name);
    if (change?.action === "none" && ["running", "sleeping"].includes(existing.state)) return existing.id;
    const alters = change?.details.some((d) => d.startsWith("alter the password")) === true;
    const password = service.password !== null && (alters || store.services.password(existing.id) !== service.password);
    await this.#services.replace(existing.id, {
      definition: service.definition,
      password: password ? service.password : null,
      port: service.port,
    });
    return existing.id;
  }
}

/** Says of an error which service of the stack, and which part of it, it is about, so that a door can name the place. */
async function about(service: string, part: string, check: () => void | Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!isHowdahError(error)) throw error;
    const fields = { ...error.fields, service, part };
    throw new HowdahError(error.code, error.message, { cause: error, hint: error.hint, fields });
  }
}

/** A server that crashed, has no room, or is only just coming up again, cannot tell; it is no reason to refuse the whole project. */
function unlessDown(error: unknown): boolean {
  if (isHowdahError(error, "SQL_FAILED") || isHowdahError(error, "DISK_FULL")) return true;
  throw error;
}

/** The line that starts what Howdah does not run. */
function startCommand(project: string, name: string, command: readonly string[] | null): string {
  const words = command === null ? "COMMAND" : command.map(shellWord).join(" ");
  return `howdah run -p ${project} ${name} -- ${words}`;
}

function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
