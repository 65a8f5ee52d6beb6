import { AIRFLOW_EXTRAS } from "./airflow-vocabulary.js";
import { DRIVERS, type Driver, isOwnParameter } from "./driver-vocabulary.js";
import { ConnectionFormatError } from "./error.js";
import { JDBC_VOCABULARY } from "./jdbc-vocabulary.js";
import { isLibpqParameter, SECRET_PARAMETERS } from "./keywords.js";
import { NPGSQL_VOCABULARY } from "./npgsql-vocabulary.js";

/** One address of a server. A null host is the client library's default, a null port 5432. */
export interface Endpoint {
  /** A name, an IPv4 or IPv6 address without brackets, or the folder of a Unix socket (`/…`, or `@…` for an abstract
   *  one). Never empty, never with a comma, which every form uses between hosts. */
  readonly host: string | null;
  /** 1 to 65535. */
  readonly port: number | null;
}

/**
 * How to reach a PostgreSQL, whatever the notation. Immutable. `null` means "not said": the client library then uses
 * its own default; an empty text means the same to PostgreSQL and is kept as null.
 */
export interface Connection extends Endpoint {
  /** Further addresses, to be tried in this order when the first one does not answer. */
  readonly fallbacks: readonly Endpoint[];
  readonly username: string | null;
  readonly password: string | null;
  readonly database: string | null;
  /**
   * Everything else, by libpq's keyword: `sslmode`, `application_name`, `options`, … What only one driver knows stands
   * under that driver's prefix and its own spelling: `npgsql:Pooling`, `jdbc:loggerLevel`, `airflow:cursor` (the value
   * of an `airflow:` one is JSON). Sorted by keyword.
   */
  readonly parameters: Readonly<Record<string, string>>;
}

export type ConnectionInit = Partial<Connection>;

const MAX_PORT = 65_535;
const VOCABULARIES = { jdbc: JDBC_VOCABULARY, npgsql: NPGSQL_VOCABULARY } as const;

/**
 * Makes a connection from the parts that are known; the others are null.
 * Throws ConnectionFormatError for what no server could be reached by: a port outside 1 to 65535, a comma in a host, a
 * NUL or half a surrogate pair anywhere (PostgreSQL's strings end at NUL and are UTF-8 on every wire), or a parameter
 * that is neither libpq's nor marked as a driver's own.
 */
export function connection(init: ConnectionInit = {}): Connection {
  const parameters: Record<string, string> = {};
  for (const [keyword, value] of Object.entries(init.parameters ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
    parameters[keyword] = parameter(keyword, value);
  return Object.freeze({
    ...endpoint(init),
    fallbacks: Object.freeze((init.fallbacks ?? []).map((each) => Object.freeze(endpoint(each)))),
    username: nonEmpty(init.username, "username"),
    password: nonEmpty(init.password, "password"),
    database: nonEmpty(init.database, "database"),
    parameters: Object.freeze(parameters),
  });
}

/** All addresses, the preferred one first; never empty. */
export function endpoints(c: Connection): readonly [Endpoint, ...Endpoint[]] {
  return [{ host: c.host, port: c.port }, ...c.fallbacks];
}

/** The driver that a parameter belongs to, or null for a libpq parameter. */
export function driverOf(keyword: string): Driver | null {
  return DRIVERS.find((driver) => keyword.startsWith(`${driver}:`)) ?? null;
}

/** The same connection with `***` for each secret in it, for messages and logs. */
export function redact(c: Connection): Connection {
  const shown = Object.entries(c.parameters).map(([key, value]) => [key, SECRET_PARAMETERS.has(key) ? "***" : value]);
  return connection({
    ...c,
    password: c.password === null ? null : "***",
    parameters: Object.fromEntries(shown),
  });
}

/** Whether a host is the folder of a Unix socket, or an abstract socket, by libpq's rule. */
export function isSocket(host: string): boolean {
  return host.startsWith("/") || host.startsWith("@");
}

function parameter(keyword: string, value: string): string {
  if (isLibpqParameter(keyword)) return text(value, keyword);
  const driver = driverOf(keyword);
  const name = keyword.slice(keyword.indexOf(":") + 1);
  const known =
    driver === "airflow" ? AIRFLOW_EXTRAS.includes(name) : driver && isOwnParameter(VOCABULARIES[driver], name);
  // Not named: where it comes from a text with an unescaped separator, it is a piece of a password.
  if (!known)
    throw new ConnectionFormatError("connection", "a parameter is none of libpq's and none of a known driver's");
  if (driver !== "airflow") return text(value, keyword);
  try {
    return JSON.stringify(JSON.parse(text(value, keyword)));
  } catch {
    // The parser's error would quote the value.
    throw new ConnectionFormatError("connection", `the value of '${keyword}' is not JSON`, { part: keyword });
  }
}

function endpoint(init: { readonly host?: string | null; readonly port?: number | null }): Endpoint {
  const host = nonEmpty(init.host, "host");
  if (host?.includes(",")) throw new ConnectionFormatError("connection", "a host contains a comma", { part: "host" });
  const port = init.port ?? null;
  if (port !== null && !(Number.isInteger(port) && port >= 1 && port <= MAX_PORT))
    throw new ConnectionFormatError("connection", "the port is not a whole number from 1 to 65535", { part: "port" });
  return { host, port };
}

function nonEmpty(value: string | null | undefined, part: string): string | null {
  return value === undefined || value === null || value === "" ? null : text(value, part);
}

function text(value: string, part: string): string {
  if (typeof value !== "string") throw new ConnectionFormatError("connection", `the ${part} is not a text`, { part });
  if (/[\0\p{Surrogate}]/u.test(value))
    throw new ConnectionFormatError("connection", `the ${part} contains a NUL or is not Unicode text`, { part });
  return value;
}
