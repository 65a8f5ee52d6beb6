/** The environment of an app or a service, resolved for somebody who may ask for it. */
import { toJdbc, toPostgresVariables, toUri } from "@howdah/client/connection";
import { HowdahError } from "../kernel/errors.js";
import type { App, ServiceProperty } from "../spec/index.js";
import type { ServiceRecord } from "../store/index.js";
import type { Context } from "./context.js";
import { missingConfigs, resolveExpression } from "./resolve.js";
import { connectionOf } from "./views.js";

export function listProjects(context: Context): string[] {
  const names = new Set([...context.store.services.list().map((s) => s.project), ...context.store.apps.projects()]);
  return [...names].sort();
}

/** Throws APP_NOT_FOUND, CONFIG_MISSING. */
export function environmentOf(context: Context, project: string, name: string): Record<string, string> {
  const { store } = context;
  const app = store.apps.list(project).find((a) => a.name === name);
  if (app !== undefined) return appEnvironment(context, project, app);
  const record = store.services.byName(name, project)[0];
  if (record !== undefined) {
    return toPostgresVariables(connectionOf(record, store.services.password(record.id)));
  }
  const known = [...store.apps.list(project).map((a) => a.name), ...store.services.list(project).map((s) => s.name)];
  throw new HowdahError("APP_NOT_FOUND", `'${name}' is no app or service of project '${project}'`, {
    hint:
      known.length > 0
        ? `The project has ${known.map((k) => `'${k}'`).join(", ")}; after a change of the file run 'howdah up'.`
        : "Run 'howdah up' in the project's folder first, or name the project with -p.",
  });
}

function appEnvironment(context: Context, project: string, app: App): Record<string, string> {
  const { store } = context;
  const missing: string[] = [];
  const messages: Record<string, string> = {};
  const environment: Record<string, string> = {};
  for (const [name, expression] of Object.entries(app.environment)) {
    const resolved = resolveExpression(expression, {
      config: (config) => store.configs.get(project, config),
      service: (service) => {
        const record = store.services.byName(service, project)[0];
        return record === undefined ? undefined : properties(record, store.services.password(record.id));
      },
    });
    missing.push(...resolved.missing);
    Object.assign(messages, resolved.messages);
    environment[name] = resolved.text;
  }
  if (missing.length > 0) throw missingConfigs(missing, messages, project);
  return environment;
}

function properties(record: ServiceRecord, password: string): Record<ServiceProperty, string> {
  const connection = connectionOf(record, password);
  const { username, database } = record.definition;
  return {
    host: connection.host ?? "",
    port: String(record.port),
    username,
    password,
    database,
    uri: toUri(connection),
    jdbc: toJdbc(connection),
  };
}
