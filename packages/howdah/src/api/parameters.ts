/**
 * Temps's way of describing a service (`parameters` with `version`, `docker_image` beside it) turned into what control
 * understands, and back. What is not known is refused by name: a misspelt `max_conections` that is passed over would
 * be found out in production. What `parametersOf` shows can be sent back unchanged and then changes nothing.
 */
import { z } from "zod";
import type { CreateService, ServiceView, UpdateService } from "../control/types.js";
import { formatSize, parseSize } from "../kernel/sizes.js";
import { checkMajor, isLoopback, type Major, parseImage, parseMajor, SettingName } from "../spec/index.js";
import { ENDPOINT_PARAMETERS, endpointParametersOf, modeFrom, policyFrom } from "./endpoint-parameters.js";
import { invalidParameter as invalid } from "./parameter-error.js";

/** Stands for a password that is not shown. Sent back, it means "as it is". */
export const HIDDEN = "***";
const SETTING_PREFIX = "set.";
const LOCAL_HOSTS = ["localhost", "127.0.0.1"];
const MIB = 1024 ** 2;
/** The largest that a setting of PostgreSQL's can be. */
const MAX_INTEGER = 2_147_483_647;

const text = (description: string) => z.string().max(4_096).describe(description);
const whole = (description: string) =>
  z.union([z.int().min(0).max(MAX_INTEGER), z.string().regex(/^\d{1,10}$/)]).describe(description);

/** Every parameter but `set.<name>`; the JSON Schema that clients get is made of it. */
export const PostgresParameters = z
  .strictObject({
    version: z
      .union([z.string(), z.int().min(1).max(99)])
      .describe("Major version, also as in an image's tag: 18, 17.5, 18-alpine. Default: the newest."),
    docker_image: z.string().describe("Image name; Howdah runs no image, but its tag chooses the major version."),
    database: text("Database that is created at the start. Default: postgres."),
    username: text("Role that owns the database and administers the server. Default: postgres."),
    password: text("Password of that role. Empty: generated."),
    host: text("What clients connect to, as it is shown; it follows from listen."),
    port: whole("Port of the endpoint, kept until you change it. Default: the first free one from 5432."),
    ...ENDPOINT_PARAMETERS,
    memory: z
      .union([z.number().positive(), z.string()])
      .describe("What the settings are sized for: text with a unit such as 512M or 2Gi; a bare number means MiB."),
    max_connections: whole("The setting of that name."),
    engine: z
      .enum(["embedded", "system"])
      .describe("Whose binaries: Howdah's own, or the system's with its extensions. Read when the server is made."),
    initdb_args: z
      .union([z.string(), z.array(z.string())])
      .describe("Further words for initdb; only read when the server is made."),
  })
  .partial();
type Known = z.infer<typeof PostgresParameters>;

export interface ParametersInput {
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The fields of the same names that stand beside `parameters` in the body. */
  readonly version?: string | null | undefined;
  readonly dockerImage?: string | null | undefined;
}

/** JSON Schema of what create takes, with `set.<name>` for any setting of PostgreSQL. */
export const PARAMETER_SCHEMA: Readonly<Record<string, unknown>> = {
  ...z.toJSONSchema(PostgresParameters, { io: "input" }),
  patternProperties: {
    "^set\\.": {
      type: ["string", "number", "boolean", "null"],
      description: "Any setting of PostgreSQL, such as set.work_mem; in an update, null takes it away.",
    },
  },
};

/** Throws INVALID_INPUT, VERSION_UNSUPPORTED. */
export function createFromParameters(input: ParametersInput): Omit<CreateService, "name" | "project"> {
  const { known, settings } = split(input.parameters);
  const { major, image } = versionOf(known, input);
  if (known.password === HIDDEN) {
    throw invalid("password", `'${HIDDEN}' stands for a hidden password, it cannot be one`);
  }
  if (known.host !== undefined) checkHost(known.host, LOCAL_HOSTS);
  const mode = modeFrom(known);
  const policy = policyFrom(known);
  const kept = Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== null);
  return {
    ...(major === undefined ? {} : { major }),
    image,
    ...(known.database === undefined ? {} : { database: known.database }),
    ...(known.username === undefined ? {} : { username: known.username }),
    ...(known.password === undefined ? {} : { password: known.password }),
    port: known.port === undefined ? null : portOf(known.port),
    memoryBytes: known.memory === undefined ? null : bytesOf(known.memory),
    settings: Object.fromEntries(kept),
    initdbArgs: wordsOf(known.initdb_args),
    engine: known.engine ?? null,
    ...(mode === undefined ? {} : { mode }),
    ...(policy === undefined ? {} : { policy }),
  };
}

/**
 * An empty password, or the one that stands for a hidden one, leaves it as it is. The engine and what only initdb
 * reads cannot be changed, but may be sent as they are. Throws INVALID_INPUT, VERSION_UNSUPPORTED.
 */
export function updateFromParameters(input: ParametersInput, current: ServiceView): UpdateService {
  const { known, settings } = split(input.parameters);
  const { major } = versionOf(known, input);
  if (known.engine !== undefined && known.engine !== current.engine) {
    throw invalid("engine", `the data was made with the ${current.engine ?? "default"} engine and stays with it`);
  }
  if (wordsOf(known.initdb_args).length > 0) {
    throw invalid("initdb_args", "it is only read when the server is made");
  }
  if (known.host !== undefined) checkHost(known.host, hostsOf(current));
  const mode = modeFrom(known, current.mode);
  const policy = policyFrom(known, current);
  const password = known.password === HIDDEN || known.password === "" ? undefined : known.password;
  const port = known.port === undefined ? undefined : portOf(known.port);
  const removesMemory = input.parameters["memory"] === null;
  return {
    ...(password === undefined ? {} : { password }),
    ...(known.database === undefined ? {} : { database: known.database }),
    ...(known.username === undefined ? {} : { username: known.username }),
    ...(port === undefined || port === current.endpoint.port ? {} : { port }),
    ...(known.memory === undefined ? {} : { memoryBytes: bytesOf(known.memory) }),
    ...(removesMemory ? { memoryBytes: null } : {}),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    ...(major === undefined ? {} : { major }),
    ...(mode === undefined ? {} : { mode }),
    ...(policy === undefined ? {} : { policy }),
  };
}

/** A service's parameters as text; the password is hidden unless the view reveals it. */
export function parametersOf(view: ServiceView): Record<string, string> {
  const parameters: Record<string, string> = {
    version: String(view.major),
    database: view.database,
    username: view.username,
    password: view.password ?? HIDDEN,
    host: view.endpoint.host,
    port: String(view.endpoint.port),
    memory: withUnit(view.memoryBytes),
    ...endpointParametersOf(view),
  };
  if (view.image !== null) parameters["docker_image"] = view.image;
  if (view.engine !== null) parameters["engine"] = view.engine;
  for (const [name, value] of Object.entries(view.settings)) {
    const integer = name === "max_connections" && /^\d+$/.test(value);
    parameters[integer ? name : `${SETTING_PREFIX}${name}`] = value;
  }
  return parameters;
}

/** Splits off the settings and checks the shape of the rest. A parameter of null is one that was not given. */
function split(parameters: ParametersInput["parameters"]): { known: Known; settings: Record<string, string | null> } {
  // Entries, not assignments: a setting called `__proto__` would vanish instead of being refused.
  const given = new Map<string, string | null>();
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (name.startsWith(SETTING_PREFIX)) given.set(settingName(name), settingValue(name, value));
    else if (!Object.hasOwn(PostgresParameters.shape, name)) throw unknown(name);
    else if (value !== null) rest[name] = value;
  }
  const parsed = PostgresParameters.safeParse(rest);
  if (!parsed.success) {
    const name = String(parsed.error.issues[0]?.path[0] ?? "");
    throw invalid(name, "its value has the wrong form", describe(name));
  }
  const limit = parsed.data.max_connections;
  if (limit !== undefined) {
    const other = given.get("max_connections");
    if (other !== undefined && other !== String(limit)) {
      throw invalid("max_connections", "it is given twice, also as 'set.max_connections', with another value");
    }
    given.set("max_connections", String(limit));
  }
  return { known: parsed.data, settings: Object.fromEntries(given) };
}

/** `version` (twice possible) and `docker_image` (twice possible) must not contradict each other. */
function versionOf(known: Known, input: ParametersInput): { major: Major | undefined; image: string | null } {
  const image = input.dockerImage ?? known.docker_image ?? null;
  const said: Major[] = [];
  for (const version of [known.version, input.version]) {
    if (version === undefined || version === null || version === "") continue;
    said.push(typeof version === "number" ? checkMajor(version) : parseMajor(version));
  }
  if (image !== null) {
    const major = parseImage(image).major;
    if (major !== null) said.push(checkMajor(major));
  }
  const different = [...new Set(said)];
  if (different.length > 1) {
    throw invalid("version", `two versions are asked for, ${different.join(" and ")}`);
  }
  return { major: said[0], image };
}

function settingName(parameter: string): string {
  const name = parameter.slice(SETTING_PREFIX.length);
  if (!SettingName.safeParse(name).success) throw invalid(parameter, `'${name}' is not the name of a setting`);
  return name;
}

function settingValue(parameter: string, value: unknown): string | null {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (typeof value === "boolean") return value ? "on" : "off";
  throw invalid(parameter, "a setting is text, a number, a boolean or null");
}

/** Where the endpoint can be had without naming another address. */
function hostsOf({ endpoint, policy }: ServiceView): string[] {
  const everywhere = /^(0\.0\.0\.0|[0:]+)$/.test(policy.listen);
  return everywhere || isLoopback(policy.listen) ? [endpoint.host, ...LOCAL_HOSTS] : [endpoint.host];
}

function checkHost(host: string, possible: readonly string[]): void {
  if (possible.includes(host)) return;
  throw invalid("host", `'${host}' is not where it listens`, "Say with listen=ADDRESS where it shall.");
}

function portOf(value: string | number): number {
  const port = Number(value);
  if (port < 1 || port > 65_535) throw invalid("port", `'${value}' is not from 1 to 65535`);
  return port;
}

function bytesOf(value: string | number): number {
  const mebibytes = typeof value === "number" || /^\s*\d+(\.\d+)?\s*$/.test(value);
  const bytes = mebibytes ? Math.round(Number(value) * MIB) : parseSize(String(value));
  if (bytes < MIB || !Number.isSafeInteger(bytes)) {
    throw invalid("memory", `'${value}' is not a size of at least 1 MiB`, "Write a number and a unit, such as 512M.");
  }
  return bytes;
}

/** `formatSize` gives a bare number of bytes where no unit is exact; here a bare number would mean MiB. */
function withUnit(bytes: number): string {
  const size = formatSize(bytes);
  return /\d$/.test(size) ? `${size}B` : size;
}

/** The official image splits POSTGRES_INITDB_ARGS at blanks too; a list allows blanks within words. */
function wordsOf(value: string | readonly string[] | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? value.split(/\s+/).filter((word) => word !== "") : [...value];
}

function unknown(name: string): Error {
  const known = [...Object.keys(PostgresParameters.shape), `${SETTING_PREFIX}<name>`].join(", ");
  return invalid(name, "there is no such parameter", `Known are ${known}.`);
}

function describe(name: string): string | undefined {
  return Object.entries(PostgresParameters.shape)
    .find(([known]) => known === name)?.[1]
    .unwrap().description;
}
