/**
 * Compose file → Stack. The order matters: names and profiles decide which services there are, the managed ones tell
 * which names are hosts, and only then can the environments of the others be read.
 */
import type { Place } from "../../kernel/errors.js";
import { type App, parseImage, type Service, type Stack } from "../../spec/index.js";
import { readApp } from "./app-service.js";
import type { Context } from "./context.js";
import { readDependsOn } from "./depends-on.js";
import { parseDotenv } from "./dotenv.js";
import { hostNamesOf } from "./host-names.js";
import type { ManagedHost } from "./host-rewriting.js";
import { MANAGED_KEY, type Managed, readManaged } from "./managed.js";
import { asMap, asScalar, child, entryOf, isNull, keyPlace } from "./node-access.js";
import { mergeOverride } from "./override.js";
import { type PostgresService, readPostgresService } from "./postgres-service.js";
import { activeProfiles, isActive } from "./profiles.js";
import { projectNameOf } from "./project-name.js";
import { Report } from "./report.js";
import { checkServiceKeys, checkTopLevelKeys } from "./service-keys.js";
import type { ComposeInput, ComposeResult } from "./types.js";
import { Variables } from "./variables.js";
import { type Entry, type MapNode, type Node, readYaml } from "./yaml-tree.js";

type ServiceEntry = Entry & { readonly value: MapNode };

/** Pure but for what `input.reader` reads; never throws on what a user can write. */
export function parseCompose(input: ComposeInput): ComposeResult {
  const report = new Report();
  const dotenv = input.dotenv === undefined ? [] : parseDotenv(input.dotenv, report);
  const context: Context = {
    file: input.file,
    folder: input.folder,
    report,
    variables: new Variables(dotenv, input.shell, report),
    reader: input.reader,
  };
  const root = asMap(readAll(context, input), input.file, report);
  const places: Record<string, Place> = {};
  const stack = root === undefined ? null : readStack(context, root, input, places);
  return {
    places,
    stack: report.hasErrors ? null : stack,
    project: stack?.project ?? null,
    diagnostics: report.diagnostics,
  };
}

function readAll(context: Context, input: ComposeInput): Node | undefined {
  let tree = readYaml(input, context.report);
  for (const override of input.overrides ?? []) {
    const over = readYaml(override, context.report);
    if (tree !== undefined && over !== undefined) tree = mergeOverride(tree, over);
  }
  if (tree !== undefined && isNull(tree)) {
    context.report.error("yaml-empty", "the file is empty", tree.place);
    return undefined;
  }
  return tree;
}

function readStack(context: Context, root: MapNode, input: ComposeInput, places: Record<string, Place>): Stack {
  const project = projectNameOf(context, root, input.projectName);
  checkTopLevelKeys(context, root);
  noteComposeFile(context);
  refuse(context, root, "include", "Write the services of the other file into this one.");
  const entries = serviceEntries(context, root);
  const profiles = activeProfiles(context, input.profiles);
  context.variables.noteShell("COMPOSE_PROFILES", root.place);
  const active = entries.filter((entry) => isActive(context, entry.key, entry.value, profiles));
  const services = {
    defined: new Set(entries.map(({ key }) => key)),
    active: new Set(active.map(({ key }) => key)),
  };
  const managed: PostgresService[] = [];
  const others: ServiceEntry[] = [];
  const hosts: { host: ManagedHost; map: MapNode }[] = [];
  for (const entry of active) {
    const form = readManaged(context, entry.key, entry.value);
    if (form.managed === true) {
      const read = readPostgresService(context, entry, root, form);
      managed.push(read);
      notePlaces(places, entry, read);
      hosts.push({ host: read.host, map: entry.value });
    } else {
      others.push(entry);
      noteUnmanaged(context, entry, form);
    }
  }
  const names = hostNamesOf(context, hosts);
  const apps: App[] = others.map((entry) =>
    readApp(context, entry, root, names, readDependsOn(context, entry.key, entry.value, services)),
  );
  checkPublished(context, managed);
  if (managed.length === 0 && !context.report.hasErrors) {
    const hint = `Write '${MANAGED_KEY}: true' below the service that is the database.`;
    context.report.warning("nothing-managed", "no service of the file is managed", keyPlace(root, "services"), hint);
  }
  return { project, services: managed.map(({ service }): Service => service), apps };
}

function notePlaces(places: Record<string, Place>, entry: ServiceEntry, { publishedPlace }: PostgresService): void {
  places[entry.key] = entry.keyPlace;
  if (publishedPlace !== null) places[`${entry.key}.port`] = publishedPlace;
  for (const part of ["image", "command"]) {
    const node = child(entry.value, part);
    if (node !== undefined) places[`${entry.key}.${part}`] = node.place;
  }
}

function serviceEntries(context: Context, root: MapNode): ServiceEntry[] {
  const services = asMap(child(root, "services"), "services", context.report);
  if (services === undefined || services.entries.length === 0) {
    if (isNull(child(root, "services")) || services !== undefined) {
      context.report.error("no-services", "the file has no services", keyPlace(root, "services"));
    }
    return [];
  }
  return services.entries.flatMap((entry): ServiceEntry[] => {
    const { key, keyPlace: place, value } = entry;
    if (key.startsWith("x-")) return [];
    if (!/^[a-zA-Z0-9._-]+$/.test(key)) {
      const hint = "Use letters, digits, '.', '-' and '_'.";
      context.report.error("name-invalid", `'${key}' is not a valid service name`, place, hint);
      return [];
    }
    const map = asMap(value, `services.${key}`, context.report);
    if (map === undefined) {
      if (isNull(value)) context.report.error("wrong-type", `'services.${key}' is empty, not a map`, place);
      return [];
    }
    refuse(context, map, "extends", "Write the other service's keys out, or share them with a YAML anchor and '<<'.");
    checkServiceKeys(context, key, map);
    return [{ ...entry, value: map }];
  });
}

function refuse(context: Context, map: MapNode, key: string, hint: string): void {
  const entry = entryOf(map, key);
  if (entry === undefined || isNull(entry.value)) return;
  context.report.error("unsupported", `'${key}' is not supported`, entry.keyPlace, hint);
}

/** A PostgreSQL that is not managed; who wrote `false` has been asked. */
function noteUnmanaged(context: Context, { key, value }: ServiceEntry, { managed }: Managed): void {
  const image = asScalar(child(value, "image"), `services.${key}.image`, context.report);
  if (managed !== null || image === undefined) return;
  if (!parseImage(context.variables.evaluateLoosely(image.text)).isPostgres) return;
  const message = `service "${key}": stateful service will lose data on restart; use a managed service instead`;
  const hint = `Write '${MANAGED_KEY}: true' below it, or '${MANAGED_KEY}: false' if it is meant so.`;
  context.report.warning("unmanaged-database", message, image.place, hint);
}

function checkPublished(context: Context, managed: readonly PostgresService[]): void {
  const taken = new Map<number, string>();
  for (const { service, publishedPlace } of managed) {
    if (service.port === null || publishedPlace === null) continue;
    const first = taken.get(service.port);
    if (first !== undefined) {
      const message = `port ${service.port} is published by '${first}' and by '${service.name}'`;
      context.report.error("port-twice", message, publishedPlace, "Give each its own port.");
    }
    taken.set(service.port, first ?? service.name);
  }
}

function noteComposeFile({ report, variables }: Context): void {
  const named = variables.dotenv("COMPOSE_FILE");
  if (named === undefined) return;
  report.warning("not-done", "COMPOSE_FILE in .env is not read", named.place, "Name the file with -f.");
}
