/**
 * pgjdbc's URL (https://jdbc.postgresql.org/documentation/use/#connecting-to-the-database):
 *
 *     jdbc:postgresql://host:port,host:port/database?user=…&password=…&property=value
 *
 * Hosts are taken literally, the database and the values are decoded as a web form is (`+` is a space). pgjdbc reaches
 * no Unix sockets without a socket factory, so a socket folder is refused.
 */
import { type Connection, driverOf, endpoints } from "./connection.js";
import { translateIn, translateOut } from "./driver-vocabulary.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { JDBC_VOCABULARY } from "./jdbc-vocabulary.js";
import { isLibpqParameter, type LibpqParameter } from "./keywords.js";
import { LibpqSettings } from "./libpq.js";
import { type EncodeOptions, type Loss, parameterLosses, refuseLosses } from "./losses.js";
import { percentDecode, percentEncode } from "./percent.js";
import { queryTokens } from "./query.js";

const FORM: FormName = "jdbc";
const PREFIX = "jdbc:postgresql:";

export interface JdbcOptions extends EncodeOptions {
  /** `omit`: without user and password, which the application then passes separately, as Aspire's URLs have it.
   *  Default: `include`. */
  readonly credentials?: "include" | "omit";
}

/** Sockets, hosts that only quoting could tell from the rest of the URL, and parameters that pgjdbc has no word for. */
export function jdbcLosses(c: Connection): Loss[] {
  const hosts = endpoints(c).flatMap(({ host }): Loss[] => {
    if (host === null)
      return c.fallbacks.length === 0
        ? []
        : [{ part: "host", kind: "essential", reason: "a list of hosts needs a name for each" }];
    if (/^(?:[^/?,:[\]@#&=%\\'"\s]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._~-]+)?)$/.test(host)) return [];
    return [
      { part: "host", kind: "essential", reason: "the host is a Unix socket or has characters that it cannot escape" },
    ];
  });
  const carries = (parameter: LibpqParameter, value: string) =>
    translateOut(JDBC_VOCABULARY, parameter, value) !== null;
  return [...hosts, ...parameterLosses(c, carries, "jdbc")];
}

/** `jdbc:postgresql://…`. Throws ConnectionFormatError on losses (see there). */
export function toJdbc(c: Connection, options: JdbcOptions = {}): string {
  refuseLosses(FORM, jdbcLosses(c), options);
  const query: [name: string, encoded: string][] = [];
  if (options.credentials !== "omit") {
    if (c.username !== null) query.push(["user", percentEncode(c.username)]);
    if (c.password !== null) query.push(["password", percentEncode(c.password)]);
  }
  for (const [keyword, value] of Object.entries(c.parameters)) {
    const translated = isLibpqParameter(keyword) ? translateOut(JDBC_VOCABULARY, keyword, value) : null;
    if (translated) query.push([translated.name, percentEncode(translated.value, "/:,")]);
    else if (driverOf(keyword) === "jdbc") query.push([keyword.slice("jdbc:".length), percentEncode(value, "/:,")]);
  }
  const database = c.database === null ? "" : percentEncode(c.database);
  const noAddress = c.host === null && c.port === null;
  const server = noAddress ? database : `//${endpoints(c).map(writeAddress).join(",")}/${database}`;
  const properties = query.map(([name, value]) => `${name}=${value}`).join("&");
  return `${PREFIX}${server}${properties && `?${properties}`}`;
}

function writeAddress({ host, port }: { host: string | null; port: number | null }): string {
  const name = host?.includes(":") ? `[${host}]` : (host ?? "");
  return port === null ? name : `${name}:${port}`;
}

/** Reads `jdbc:postgresql:…` by pgjdbc's rules, except that unknown properties are refused: pgjdbc passes over them.
 *  Throws ConnectionFormatError. */
export function fromJdbc(url: string): Connection {
  if (!url.startsWith(PREFIX))
    throw new ConnectionFormatError(FORM, `it does not start with '${PREFIX}'`, { position: 0 });
  const settings = new LibpqSettings(FORM);
  const question = url.indexOf("?");
  const end = question === -1 ? url.length : question;
  readServer(url.slice(0, end), settings);
  let ssl: string | null = null;
  let sslmode = false;
  for (const token of end === url.length ? [] : queryTokens(url, end + 1)) {
    const value = decode(token.value ?? "", token.valueAt);
    const keyword = WELL_KNOWN[token.key] ?? null;
    if (keyword !== null) settings.set(keyword, value, token.keyAt);
    else if (token.key === "ssl") ssl = value;
    else {
      setProperty(settings, token.key, value, token.keyAt);
      sslmode ||= token.key === "sslmode";
    }
  }
  // Without an sslmode, ssl=true means full verification to pgjdbc.
  if (!sslmode && (ssl === "" || ssl?.toLowerCase() === "true")) settings.set("sslmode", "verify-full");
  return settings.connection();
}

/** Properties that are no parameters; the first four in both of the spellings that pgjdbc accepts. */
const WELL_KNOWN: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  host: "host",
  PGHOST: "host",
  port: "port",
  PGPORT: "port",
  dbname: "dbname",
  PGDBNAME: "dbname",
  user: "user",
  password: "password",
});

function setProperty(settings: LibpqSettings, name: string, value: string, position: number): void {
  const translated = translateIn(JDBC_VOCABULARY, name, value);
  switch (translated.kind) {
    case "parameter":
      settings.set(translated.keyword, translated.value, position);
      return;
    case "own":
      settings.setDriverParameter(translated.key, translated.value);
      return;
    case "unknown-name":
      throw new ConnectionFormatError(FORM, "a property is not one that pgjdbc knows", { position });
    case "unknown-value":
      throw new ConnectionFormatError(FORM, `the value of '${translated.name}' has no equal in libpq's terms`, {
        position,
        part: translated.name,
      });
  }
}

function readServer(text: string, settings: LibpqSettings): void {
  const start = PREFIX.length;
  if (text === `${PREFIX}//` || text === `${PREFIX}///`) return;
  if (!text.startsWith("//", start)) {
    if (text.startsWith("/", start))
      throw new ConnectionFormatError(FORM, "a single '/' may not follow the prefix", { position: start });
    settings.set("dbname", decode(text.slice(start), start), start);
    return;
  }
  const slash = text.indexOf("/", start + 2);
  if (slash === -1)
    throw new ConnectionFormatError(FORM, "the hosts are not followed by '/'", { position: text.length });
  if (text.indexOf("/", slash + 1) !== -1)
    throw new ConnectionFormatError(FORM, "a '/' in the database must be written as %2F", {
      position: text.indexOf("/", slash + 1),
    });
  settings.set("dbname", decode(text.slice(slash + 1), slash + 1), slash + 1);
  if (text.slice(start, slash).includes("@"))
    throw new ConnectionFormatError(FORM, "user and password belong in the properties 'user' and 'password'", {
      position: start + 2,
      part: "host",
    });
  const hosts: string[] = [];
  const ports: string[] = [];
  for (const address of text.slice(start + 2, slash).split(",")) {
    const colon = address.lastIndexOf(":");
    const hasPort = colon !== -1 && address.lastIndexOf("]") < colon;
    const host = hasPort ? address.slice(0, colon) : address;
    hosts.push(/^\[.*\]$/s.test(host) ? host.slice(1, -1) : host);
    ports.push(hasPort ? address.slice(colon + 1) : "");
  }
  if (hosts.length > 1 && hosts.includes(""))
    throw new ConnectionFormatError(FORM, "a list of hosts needs a name for each", {
      position: start + 2,
      part: "host",
    });
  settings.set("host", hosts.join(","), start + 2);
  settings.set("port", ports.join(","), start + 2);
}

function decode(text: string, offset: number): string {
  return percentDecode(text.replaceAll("+", " "), FORM, offset);
}
