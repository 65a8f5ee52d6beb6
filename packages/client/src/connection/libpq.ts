/**
 * libpq's own view of a connection, keywords and texts, on which its URI, its keyword string, its environment variables
 * and Airflow's extras all rest: host and port lists, spellings of old clients, and the ban on unknown keywords.
 */
import { type Connection, connection, type Endpoint, endpoints } from "./connection.js";
import type { DriverKey } from "./driver-vocabulary.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { isLibpqParameter } from "./keywords.js";

/** White space as C's isspace() knows it; JavaScript's `\s` also matches characters that libpq takes literally. */
export const C_SPACE = /[ \t\n\v\f\r]/;

export class LibpqSettings {
  readonly #values = new Map<string, string>();

  constructor(private readonly form: FormName) {}

  /** Stores one value; a later one wins, as in libpq. Unknown keywords are refused without naming them: after an
   *  unescaped separator such a "keyword" is the rest of a password. */
  set(keyword: string, value: string, position?: number): void {
    const place = position === undefined ? {} : { position };
    if (keyword === "requiressl") this.#values.set("sslmode", value.startsWith("1") ? "require" : "prefer");
    else if (["host", "port", "user", "password", "dbname"].includes(keyword) || isLibpqParameter(keyword))
      this.#values.set(keyword, text(value, this.form, keyword, place));
    else throw new ConnectionFormatError(this.form, "a parameter is not one that PostgreSQL knows", place);
  }

  /** Stores a driver's own parameter; the form has looked at the name. */
  setDriverParameter(key: DriverKey, value: string): void {
    this.#values.set(key, text(value, this.form, "driver parameter", {}));
  }

  /** Throws ConnectionFormatError when ports are no ports, or do not match the hosts. */
  connection(): Connection {
    const { host, port, user, password, dbname, ...parameters } = Object.fromEntries(this.#values);
    const [first, ...fallbacks] = parseHostList(host, port, parameters["hostaddr"], this.form);
    return connection({
      ...first,
      fallbacks,
      username: user ?? null,
      password: password ?? null,
      database: dbname ?? null,
      parameters,
    });
  }
}

/** Keywords and values in libpq's customary order; without the drivers' own parameters. */
export function libpqPairs(c: Connection): [keyword: string, value: string][] {
  const { host, port } = formatHostList(c);
  const pairs: [string, string | null][] = [
    ["host", host],
    ["port", port],
    ["user", c.username],
    ["password", c.password],
    ["dbname", c.database],
    ...Object.entries(c.parameters).filter(([keyword]) => isLibpqParameter(keyword)),
  ];
  return pairs.flatMap(([keyword, value]) => (value === null ? [] : [[keyword, value]]));
}

/** `a,b` and `5432,5433` as libpq writes them; one port stands for all where they are the same. */
export function formatHostList(c: Connection): { host: string | null; port: string | null } {
  const all = endpoints(c);
  const ports = new Set(all.map((each) => each.port));
  return {
    host: all.length === 1 ? c.host : all.map((each) => each.host ?? "").join(","),
    port: ports.size === 1 ? (c.port?.toString() ?? null) : all.map((each) => each.port ?? "").join(","),
  };
}

function parseHostList(
  hostText: string | undefined,
  portText: string | undefined,
  hostaddrText: string | undefined,
  form: FormName,
): [Endpoint, ...Endpoint[]] {
  const ports = (portText ?? "").split(",").map((each) => parsePort(each, form));
  // Without host names, a list of numeric addresses says how many servers there are.
  const count = hostaddrText?.split(",").length ?? 1;
  const hosts = hostText || ports.length === 1 ? (hostText ?? "").split(",") : new Array<string>(count).fill("");
  if (ports.length !== 1 && ports.length !== hosts.length)
    throw new ConnectionFormatError(form, `${ports.length} ports do not match ${hosts.length} host(s)`, {
      part: "port",
    });
  const [first, ...others] = hosts.map((host, i): Endpoint => {
    const port = ports.length === 1 ? ports[0] : ports[i];
    return { host: host === "" ? null : host, port: port ?? null };
  });
  return [first ?? { host: null, port: null }, ...others];
}

/** The number of a port, or null for an empty text; white space around it is allowed, as strtol() allows it. */
export function parsePort(portText: string, form: FormName, position?: number): number | null {
  if (portText === "") return null;
  const port = /^[ \t\n\v\f\r]*[0-9]+[ \t\n\v\f\r]*$/.test(portText) ? Number(portText) : 0;
  if (port >= 1 && port <= 65_535) return port;
  const place = position === undefined ? { part: "port" } : { part: "port", position };
  throw new ConnectionFormatError(form, "the port is not a whole number from 1 to 65535", place);
}

function text(value: string, form: FormName, part: string, place: { position?: number }): string {
  if (/[\0\p{Surrogate}]/u.test(value))
    throw new ConnectionFormatError(form, `'${part}' contains a NUL or is not Unicode text`, { ...place, part });
  return value;
}
