/**
 * Resolves what a Stack says about its databases (credentials, names, initialisation) into definitions that can be
 * compared with stored ones. All missing configs of the whole stack are reported at once, those of apps included.
 */
import { HowdahError } from "../kernel/errors.js";
import { checkIdentifier, checkName } from "../kernel/names.js";
import { ADMIN_ROLE } from "../postgres/index.js";
import { checkEndpointPolicy, type Expression, type InitScript, type Service, type Stack } from "../spec/index.js";
import type { ServiceDefinition } from "../store/index.js";
import { missingConfigs, type ResolveContext, resolveExpression } from "./resolve.js";

export interface DesiredService {
  readonly name: string;
  readonly definition: ServiceDefinition;
  /** null: keep the stored one, or generate one. */
  readonly password: string | null;
  readonly port: number | null;
  readonly engine: Service["engine"];
  readonly initScripts: readonly InitScript[];
}

/** Throws CONFIG_MISSING, NAME_INVALID, INVALID_INPUT. */
export function resolveStack(stack: Stack, config: (name: string) => string | undefined): DesiredService[] {
  checkName(stack.project, "project");
  const missing: string[] = [];
  const messages: Record<string, string> = {};
  // Credentials may not depend on other services: their own properties come from here.
  const context: ResolveContext = { config, service: () => undefined };
  const text = (expression: Expression) => {
    const resolved = resolveExpression(expression, context);
    missing.push(...resolved.missing);
    Object.assign(messages, resolved.messages);
    return resolved.text;
  };
  const drafts = stack.services.map((service) => ({
    service,
    database: text(service.database),
    username: text(service.username),
    password: service.password === null ? null : text(service.password),
  }));
  const names = new Set(stack.services.map((service) => service.name));
  const inApps: ResolveContext = { config, service: (name) => (names.has(name) ? NOT_YET_KNOWN : undefined) };
  for (const app of stack.apps) {
    for (const expression of Object.values(app.environment)) {
      const resolved = resolveExpression(expression, inApps);
      missing.push(...resolved.missing);
      Object.assign(messages, resolved.messages);
    }
  }
  if (missing.length > 0) throw missingConfigs(missing, messages, stack.project);
  const seen = new Set<string>();
  return drafts.map(({ service, ...values }) => {
    if (seen.has(service.name)) throw new HowdahError("INVALID_INPUT", `service '${service.name}' is defined twice`);
    seen.add(service.name);
    return desired(service, values);
  });
}

/** Whether a value can be resolved is asked here, not what it is: ports and passwords may not exist yet. */
const NOT_YET_KNOWN = { host: "", port: "", username: "", password: "", database: "", uri: "", jdbc: "" };

/** What the file says and a config overrides, as Defang has it: said, because it surprises whoever edits the file. */
export function overriddenByConfig(stack: Stack, config: (name: string) => string | undefined): string[] {
  const overridden = (expression: Expression, key: string) => {
    const [part] = expression;
    return part?.kind === "config" && part.name === key && part.fallback !== undefined && config(key) !== undefined;
  };
  const notice = (key: string, owner: string) => `config '${key}' overrides what the file says for '${owner}'`;
  return [
    ...stack.apps.flatMap((app) =>
      Object.entries(app.environment).flatMap(([key, value]) =>
        overridden(value, key) ? [notice(key, app.name)] : [],
      ),
    ),
    ...stack.services.flatMap((service) =>
      [
        { key: "POSTGRES_USER", value: service.username },
        { key: "POSTGRES_DB", value: service.database },
        { key: "POSTGRES_PASSWORD", value: service.password ?? [] },
      ].flatMap(({ key, value }) => (overridden(value, key) ? [notice(key, service.name)] : [])),
    ),
  ];
}

function desired(
  service: Service,
  values: { database: string; username: string; password: string | null },
): DesiredService {
  return {
    name: checkName(service.name, "service"),
    definition: {
      major: service.major,
      image: service.image,
      database: checkDatabase(values.database),
      username: checkUsername(values.username),
      memoryBytes: service.memoryBytes,
      settings: service.settings,
      initdbArgs: service.initdbArgs,
      mode: service.mode,
      endpoint: checkEndpointPolicy(service.endpoint),
    },
    password: values.password === null ? null : checkPassword(values.password, service.name),
    port: service.port,
    engine: service.engine,
    initScripts: service.initScripts,
  };
}

export function checkUsername(username: string): string {
  checkIdentifier(username, "role");
  if (username === ADMIN_ROLE || username.startsWith("pg_")) {
    throw new HowdahError("NAME_INVALID", `role '${username}' is reserved`, { hint: "Choose another user name." });
  }
  return username;
}

export function checkDatabase(database: string): string {
  checkIdentifier(database, "database");
  if (database === "template0" || database === "template1") {
    throw new HowdahError("NAME_INVALID", `database '${database}' is reserved`, { hint: "Choose another name." });
  }
  return database;
}

/** PostgreSQL takes any text without NUL; an empty password would never let anybody in. */
export function checkPassword(password: string, service: string): string {
  if (password === "" || password.includes("\0")) {
    throw new HowdahError("INVALID_INPUT", `the password of service '${service}' is empty or holds a NUL byte`, {
      hint: "Set a password of at least one character.",
    });
  }
  return password;
}
