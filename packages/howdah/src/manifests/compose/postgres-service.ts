/** A service with `x-defang-postgres` → the spec's Service, as the official image and Defang read its variables. */
import type { Place } from "../../kernel/errors.js";
import { checkName } from "../../kernel/names.js";
import type { Expression, Service, Settings } from "../../spec/index.js";
import { literal } from "../../spec/index.js";
import { type Context, reported } from "./context.js";
import { noteMounts } from "./data-volumes.js";
import { type Environment, type EnvironmentValue, readEnvironment } from "./environment.js";
import type { ManagedHost } from "./host-rewriting.js";
import { chooseImage } from "./image-checks.js";
import { readInitScripts } from "./init-scripts.js";
import { initdbWords } from "./initdb-args.js";
import type { Managed } from "./managed.js";
import { containerFile, type MountedFile, readMountedFiles } from "./mounted-files.js";
import { readMounts } from "./mounts.js";
import { configPiece, overridable, type Pieces, staticText, toExpression } from "./pieces.js";
import { readPorts } from "./ports.js";
import { readMemory } from "./resources.js";
import { readServerCommand } from "./server-command.js";
import { warnWithoutEffect } from "./service-keys.js";
import type { Entry, MapNode } from "./yaml-tree.js";

export interface PostgresService {
  readonly service: Service;
  readonly host: ManagedHost;
  /** Where the file publishes its port. */
  readonly publishedPlace: Place | null;
}

const DEFAULT_NAME = "postgres";
const CREDENTIALS = ["POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"];
/** Read above, or without a meaning outside of the container: libpq's variables serve health checks there. */
const KNOWN = [
  ...CREDENTIALS,
  ...CREDENTIALS.map((key) => `${key}_FILE`),
  ...["POSTGRES_HOST_AUTH_METHOD", "POSTGRES_INITDB_WALDIR", "PGDATA", "PGPORT", "TZ"],
  ...["PGHOST", "PGUSER", "PGDATABASE", "PGPASSWORD"],
];

export function readPostgresService(
  context: Context,
  { key: name, keyPlace, value: map }: Entry & { readonly value: MapNode },
  root: MapNode,
  managed: Managed,
): PostgresService {
  reported(context, "name-invalid", keyPlace, () => checkName(name, "service"));
  const path = `services.${name}`;
  const environment = readEnvironment(context, name, map);
  const { image, major } = chooseImage(context, name, map, managed.engine);
  const command = readServerCommand(context, name, map);
  const own = command.port ?? pgPort(context, path, environment);
  const ports = readPorts(context, name, map, { own, listen: managed.endpoint.listen });
  const mounts = readMounts(context, name, map);
  const files = readMountedFiles(context, name, map, root, mounts);
  const variables = new ImageVariables(context, path, environment, files);
  const username = variables.pieces("POSTGRES_USER");
  const initdbArgs = initdbWords(context, variables.text("POSTGRES_INITDB_ARGS"), name);
  const service: Service = {
    name,
    type: "postgres",
    major,
    image,
    database: databaseOf(context, name, map, variables, username),
    username: expressionOf("POSTGRES_USER", username),
    password: passwordOf(context, environment, variables),
    port: ports.published,
    engine: managed.engine,
    memoryBytes: readMemory(context, name, map),
    settings: settingsOf(environment, command.settings),
    mode: managed.mode,
    endpoint: managed.endpoint,
    initdbArgs,
    initScripts: readInitScripts(context, files, mounts),
    allowDowntime: managed.allowDowntime,
  };
  const pgdata = environment.get("PGDATA");
  noteMounts(context, name, map, mounts, pgdata && staticText(pgdata.pieces), variables.usedFiles);
  noteEnvironment(
    context,
    name,
    environment,
    service.initScripts.some((script) => script.name.endsWith(".sh")),
  );
  warnWithoutEffect(context, name, map);
  return { service, host: { service: name, ports: ports.targets }, publishedPlace: ports.publishedPlace };
}

/** The variables that the image reads directly or, with `_FILE`, out of a file. */
class ImageVariables {
  readonly usedFiles: string[] = [];

  constructor(
    private readonly context: Context,
    private readonly path: string,
    private readonly environment: Environment,
    private readonly files: readonly MountedFile[],
  ) {}

  /** undefined when neither is given, or the text is empty, which the image takes for the same. */
  pieces(key: string): Pieces | undefined {
    const plain = this.environment.get(key);
    const file = this.environment.get(`${key}_FILE`);
    if (file !== undefined) return this.#ofFile(key, plain, file);
    return plain === undefined || staticText(plain.pieces) === "" ? undefined : plain.pieces;
  }

  /** For variables that take no configs. */
  text(key: string): { readonly text: string; readonly place: Place } | undefined {
    const pieces = this.pieces(key);
    const place = (this.environment.get(`${key}_FILE`) ?? this.environment.get(key))?.place;
    if (pieces === undefined || place === undefined) return undefined;
    const text = staticText(pieces);
    if (text !== undefined) return { text, place };
    const message = `'${key}' in '${this.path}.environment' cannot come from config`;
    this.context.report.error("unset-variable", message, place, "Write its value into the file or .env.");
    return undefined;
  }

  #ofFile(key: string, plain: EnvironmentValue | undefined, file: EnvironmentValue): Pieces | undefined {
    if (plain !== undefined) {
      const message = `both ${key} and ${key}_FILE are set (but are exclusive)`;
      this.context.report.error("exclusive", message, file.place, "Keep one of them.");
    }
    const containerPath = staticText(file.pieces);
    if (containerPath === undefined) {
      const message = `'${key}_FILE' in '${this.path}.environment' cannot come from config`;
      this.context.report.error("unset-variable", message, file.place, "Write its value into the file or .env.");
      return undefined;
    }
    this.usedFiles.push(containerPath);
    return containerFile(this.context, this.files, containerPath, {
      path: `${this.path}.environment.${key}_FILE`,
      place: file.place,
    });
  }
}

function expressionOf(key: string, pieces: Pieces | undefined): Expression {
  return pieces === undefined ? literal(DEFAULT_NAME) : toExpression(overridable(key, pieces));
}

/** Defang's default is `postgres`, while the image's is the user's name: who counts on the latter is told. */
function databaseOf(
  context: Context,
  name: string,
  map: MapNode,
  variables: ImageVariables,
  username: Pieces | undefined,
): Expression {
  const database = variables.pieces("POSTGRES_DB");
  const user = username === undefined ? DEFAULT_NAME : staticText(username);
  if (database === undefined && user !== DEFAULT_NAME) {
    const message = `the database of '${name}' is named '${DEFAULT_NAME}', as with Defang; the image would name it like its user`;
    context.report.notice("database-default", message, map.place, "Write POSTGRES_DB to say which one you mean.");
  }
  return expressionOf("POSTGRES_DB", database);
}

/** Always there and never empty: what the file leaves out is asked from config. */
function passwordOf(context: Context, environment: Environment, variables: ImageVariables): Expression {
  const key = "POSTGRES_PASSWORD";
  const written = environment.get(key);
  const pieces = variables.pieces(key);
  if (pieces !== undefined) return toExpression(overridable(key, pieces));
  if (written !== undefined && staticText(written.pieces) === "") {
    const hint = `Leave the value out and run 'howdah config set ${key}'.`;
    context.report.warning("empty-password", `'${key}' is empty; it is taken from config`, written.place, hint);
  }
  return toExpression([configPiece(key)]);
}

function settingsOf(environment: Environment, settings: Settings): Settings {
  const zone = environment.get("TZ");
  const timezone = zone && staticText(zone.pieces);
  return timezone === undefined || timezone === "" ? settings : { timezone, ...settings };
}

function pgPort(context: Context, path: string, environment: Environment): number {
  const value = environment.get("PGPORT");
  const text = value && staticText(value.pieces);
  if (value === undefined || text === undefined || text === "") return 5432;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  context.report.error("port", `PGPORT in '${path}.environment' is no port`, value.place);
  return 5432;
}

function noteEnvironment(context: Context, name: string, environment: Environment, hasShellScripts: boolean): void {
  const auth = environment.get("POSTGRES_HOST_AUTH_METHOD");
  const method = auth && staticText(auth.pieces);
  if (auth !== undefined && method !== "scram-sha-256" && method !== "") {
    const message = `POSTGRES_HOST_AUTH_METHOD '${method ?? ""}' of '${name}' is not honoured; every login needs its password (scram-sha-256)`;
    context.report.warning("not-done", message, auth.place);
  }
  const waldir = environment.get("POSTGRES_INITDB_WALDIR");
  if (waldir !== undefined) {
    context.report.warning("not-done", `POSTGRES_INITDB_WALDIR of '${name}' has no effect`, waldir.place);
  }
  for (const { key, place } of environment.values()) {
    if (KNOWN.includes(key)) continue;
    const where = hasShellScripts ? "; init scripts do not see it" : "";
    context.report.warning("not-done", `environment variable '${key}' of '${name}' has no effect${where}`, place);
  }
}
