/**
 * Airflow's `AIRFLOW_CONN_<ID>` (https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html), as URI
 *
 *     postgres://login:password@host:port/database?extra=value      (or ?__extra__=<JSON> for nested extras)
 *
 * or as JSON with conn_type, login, password, host, port, schema and extra. `schema` is the database. Airflow's URI looks
 * like libpq's and is not: `+` is a space in extras, hosts are percent-encoded, there is one port.
 */
import { AIRFLOW_EXTRAS } from "./airflow-vocabulary.js";
import { type Connection, driverOf, endpoints } from "./connection.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { isLibpqParameter } from "./keywords.js";
import { formatHostList, LibpqSettings, parsePort } from "./libpq.js";
import { type Loss, parameterLosses, refuseLosses } from "./losses.js";
import { percentDecode, percentEncode } from "./percent.js";
import { queryTokens } from "./query.js";

const URI: FormName = "airflow-uri";
const JSON_FORM: FormName = "airflow-json";
const EXTRA_KEY = "__extra__";
const VARIABLE_PREFIX = "AIRFLOW_CONN_";
const MAX_ID = 200;

/** Several hosts with different ports: Airflow has one port, which libpq then uses for all. */
export function airflowLosses(c: Connection): Loss[] {
  const losses = parameterLosses(c, () => true, "airflow");
  const samePort = endpoints(c).every((each) => each.port === c.port);
  return samePort
    ? losses
    : [{ part: "port", kind: "essential", reason: "this form has one port for all hosts" }, ...losses];
}

/** `postgres://…` as Airflow's own `get_uri()` writes it. Throws ConnectionFormatError on losses (see there). */
export function toAirflowUri(c: Connection): string {
  refuseLosses(URI, airflowLosses(c), {});
  const user = c.username === null ? "" : percentEncode(c.username);
  const password = c.password === null ? "" : `:${percentEncode(c.password)}`;
  const host = percentEncode(formatHostList(c).host ?? "");
  const port = c.port === null ? "" : `:${c.port}`;
  const at = user || password || (!host && port) ? "@" : "";
  const path = c.database === null ? "" : `/${percentEncode(c.database)}`;
  const extra = extraOf(c);
  if (extra === null) return `postgres://${user}${password}${at}${host}${port}${path}`;
  const flat = Object.entries(extra).every(([, value]) => typeof value === "string");
  const pairs = flat ? Object.entries(extra) : [[EXTRA_KEY, JSON.stringify(extra)]];
  const query = pairs.map(([key, value]) => `${percentEncode(String(key))}=${percentEncode(String(value))}`).join("&");
  return `postgres://${user}${password}${at}${host}${port}${path || "/"}?${query}`;
}

/** The JSON text. Throws ConnectionFormatError on losses (see there). */
export function toAirflowJson(c: Connection): string {
  refuseLosses(JSON_FORM, airflowLosses(c), {});
  const fields = {
    conn_type: "postgres",
    login: c.username,
    password: c.password,
    host: formatHostList(c).host,
    port: c.port,
    schema: c.database,
    extra: extraOf(c),
  };
  return JSON.stringify(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)));
}

function extraOf(c: Connection): Record<string, unknown> | null {
  const extra: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(c.parameters)) {
    if (isLibpqParameter(keyword)) extra[keyword] = value;
    else if (driverOf(keyword) === "airflow") extra[keyword.slice("airflow:".length)] = JSON.parse(value);
  }
  return Object.keys(extra).length === 0 ? null : extra;
}

/** Reads the value of an `AIRFLOW_CONN_<ID>`: JSON when it begins with `{`, else a URI, as Airflow decides it. Throws
 *  ConnectionFormatError, also for connections to anything but PostgreSQL. */
export function fromAirflow(value: string): Connection {
  const trimmed = value.trim();
  return trimmed.startsWith("{") ? fromJson(trimmed) : fromUri(trimmed);
}

function fromUri(value: string): Connection {
  const scheme = /^postgres(?:ql)?:\/\//.exec(value)?.[0];
  if (scheme === undefined)
    throw new ConnectionFormatError(URI, "it does not start with 'postgres://'", { position: 0 });
  const start = scheme.length;
  for (const [pattern, name] of [
    [/[ \t\n\v\f\r]/, "white space"],
    [/#/, "'#'"],
    [/:\/\//, "a second '://'"],
  ] as const) {
    const found = value.slice(start).search(pattern);
    if (found !== -1)
      throw new ConnectionFormatError(URI, `${name} must be percent-encoded`, { position: start + found });
  }
  const netlocEnd = firstOf(value, "/?", start);
  const queryAt = firstOf(value, "?", netlocEnd);
  const at = value.lastIndexOf("@", netlocEnd - 1);
  const hostStart = at < start ? start : at + 1;
  const colon = value.indexOf(":", start);
  const passwordAt = at >= start && colon !== -1 && colon < at ? colon : Math.max(at, start);
  const decode = (from: number, to: number) => percentDecode(value.slice(from, to), URI, from);
  const { host, port } = readNetloc(value.slice(hostStart, netlocEnd), hostStart);
  const parts = {
    username: at < start ? null : decode(start, passwordAt),
    password: passwordAt < at ? decode(passwordAt + 1, at) : null,
    host,
    port,
    database: netlocEnd < queryAt ? decode(netlocEnd + 1, queryAt) : null,
  };
  const extra: [string, unknown][] = queryTokens(value, queryAt + 1).map((token) => [
    percentDecode(token.key.replaceAll("+", " "), URI, token.keyAt),
    percentDecode((token.value ?? "").replaceAll("+", " "), URI, token.valueAt),
  ]);
  const nested = extra.find(([key]) => key === EXTRA_KEY);
  return build(URI, parts, nested ? Object.entries(parseObject(URI, String(nested[1]), "extra")) : extra);
}

function readNetloc(text: string, offset: number): { host: string; port: number | null } {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  const colon = text.indexOf(":");
  const host = bracket?.[1] ?? (colon === -1 ? text : text.slice(0, colon));
  const port = bracket ? (bracket[2] ?? "") : colon === -1 ? "" : text.slice(colon + 1);
  return { host: percentDecode(host, URI, offset), port: parsePort(port, URI, offset) };
}

function fromJson(value: string): Connection {
  const { conn_type, login, password, host, port, schema, extra, ...others } = parseObject(JSON_FORM, value, "text");
  const type = text("conn_type", conn_type);
  if (type && type !== "postgres" && type !== "postgresql")
    throw new ConnectionFormatError(JSON_FORM, "'conn_type' is not 'postgres'", { part: "conn_type" });
  if (Object.keys(others).some((key) => key !== "conn_id" && key !== "description"))
    throw new ConnectionFormatError(
      JSON_FORM,
      "a field is none of conn_type, login, password, host, port, schema, extra, description",
    );
  if (port && typeof port !== "number" && typeof port !== "string")
    throw new ConnectionFormatError(JSON_FORM, "the port is not a whole number from 1 to 65535", { part: "port" });
  const extras = typeof extra === "string" && extra !== "" ? parseObject(JSON_FORM, extra, "extra") : extra;
  if (extras && !isObject(extras))
    throw new ConnectionFormatError(JSON_FORM, "'extra' is not an object", { part: "extra" });
  return build(
    JSON_FORM,
    {
      username: text("login", login),
      password: text("password", password),
      host: text("host", host),
      port: port ? parsePort(String(port), JSON_FORM) : null,
      database: text("schema", schema),
    },
    isObject(extras) ? Object.entries(extras) : [],
  );
}

interface Parts {
  readonly username: string | null;
  readonly password: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly database: string | null;
}

/** Extras win over the parts, as they do in PostgresHook. */
function build(form: FormName, parts: Parts, extra: readonly [string, unknown][]): Connection {
  const settings = new LibpqSettings(form);
  settings.set("host", parts.host ?? "");
  settings.set("port", parts.port?.toString() ?? "");
  settings.set("user", parts.username ?? "");
  settings.set("password", parts.password ?? "");
  settings.set("dbname", parts.database ?? "");
  for (const [key, value] of extra) {
    if (AIRFLOW_EXTRAS.includes(key)) settings.setDriverParameter(`airflow:${key}`, JSON.stringify(value));
    else if (typeof value === "string" || typeof value === "number") settings.set(key, String(value));
    else if (value !== null)
      throw new ConnectionFormatError(form, "an extra for PostgreSQL is neither a text nor a number", {
        part: "extra",
      });
  }
  return settings.connection();
}

/** The parser's own error is not kept as the cause: it quotes the text, and with it the password. */
function parseObject(form: FormName, json: string, part: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new ConnectionFormatError(form, `the ${part} is not valid JSON`, { part });
  }
  if (!isObject(parsed)) throw new ConnectionFormatError(form, `the ${part} is not a JSON object`, { part });
  return parsed;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(field: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  throw new ConnectionFormatError(JSON_FORM, `'${field}' is not a text`, { part: field });
}

function firstOf(text: string, characters: string, from: number): number {
  let at = from;
  while (at < text.length && !characters.includes(text.charAt(at))) at += 1;
  return at;
}

/** The variable that Airflow reads for a connection id: in capitals. Throws ConnectionFormatError for ids that no shell
 *  takes as part of a variable's name, and for those beyond Airflow's length. */
export function airflowVariable(id: string): string {
  if (!/^[A-Za-z0-9_]+$/.test(id) || id.length > MAX_ID)
    throw new ConnectionFormatError(URI, `a connection id has up to ${MAX_ID} letters, digits and '_'`);
  return `${VARIABLE_PREFIX}${id.toUpperCase()}`;
}

/** `{ AIRFLOW_CONN_ORDERS: … }` for the id `orders`, as a URI unless JSON is asked for. */
export function toAirflowVariables(
  id: string,
  c: Connection,
  notation: "uri" | "json" = "uri",
): Record<string, string> {
  return { [airflowVariable(id)]: notation === "uri" ? toAirflowUri(c) : toAirflowJson(c) };
}

/** The connection of that id in an environment, or null when the variable is not set. */
export function fromAirflowVariables(
  id: string,
  variables: Readonly<Record<string, string | undefined>>,
): Connection | null {
  const value = variables[airflowVariable(id)];
  return value ? fromAirflow(value) : null;
}
