/**
 * Npgsql's connection string, which .NET applications find as `ConnectionStrings__<name>` in their environment:
 *
 *     Host=localhost;Port=5432;Username=postgres;Password="a;b";Database=orders
 *
 * Npgsql wants a Host; several stand in it with commas, each with a port of its own where the ports differ.
 */
import { readAdo, writeAdoPair } from "./ado.js";
import { type Connection, driverOf, endpoints, isSocket } from "./connection.js";
import { translateIn, translateOut } from "./driver-vocabulary.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { isLibpqParameter, type LibpqParameter } from "./keywords.js";
import { LibpqSettings } from "./libpq.js";
import { type EncodeOptions, type Loss, parameterLosses, refuseLosses } from "./losses.js";
import { NPGSQL_VOCABULARY } from "./npgsql-vocabulary.js";

const FORM: FormName = "npgsql";
const VARIABLE_PREFIX = "ConnectionStrings__";

/** Keywords of the parts, folded, with Npgsql's synonyms. */
const PARTS: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  host: "host",
  server: "host",
  port: "port",
  database: "dbname",
  db: "dbname",
  username: "user",
  userid: "user",
  uid: "user",
  password: "password",
  psw: "password",
  pwd: "password",
});

/** Host lists that Npgsql would take apart in another way, empty values (to Npgsql, not given), a wish for a kind of
 *  server with a single host (refused by Npgsql), and parameters that it has no word for. */
export function npgsqlLosses(c: Connection): Loss[] {
  const hostLoss = (reason: string): Loss => ({ part: "host", kind: "essential", reason });
  const several = c.fallbacks.length > 0;
  const hosts = endpoints(c).flatMap(({ host, port }): Loss[] => {
    if (host === null) return several ? [hostLoss("a list of hosts needs a name for each")] : [];
    if (isSocket(host) && !several) return [];
    if (several && (host !== host.trim() || (isSocket(host) && (host.includes(":") || port !== c.port))))
      return [hostLoss("a Unix socket or a host with outer white space cannot stand in a list of hosts")];
    const plain = !/[:[\]]/.test(host) || /^[^[\]:]*:[^[\]]*:[^[\]]*$/.test(host);
    return plain ? [] : [hostLoss("the host has colons or brackets that Npgsql reads as a port or an address")];
  });
  const carries = (parameter: LibpqParameter, value: string) => {
    if (parameter === "target_session_attrs" && !several && value !== "any") return false;
    return value !== "" && translateOut(NPGSQL_VOCABULARY, parameter, value) !== null;
  };
  return [...hosts, ...parameterLosses(c, carries, "npgsql")];
}

/** `Host=…;Port=…;Username=…;Password=…;Database=…`. Throws ConnectionFormatError on losses (see there). */
export function toNpgsql(c: Connection, options: EncodeOptions = {}): string {
  refuseLosses(FORM, npgsqlLosses(c), options);
  const pairs: [string, string | null][] = [
    ...writeHosts(c),
    ["Username", c.username],
    ["Password", c.password],
    ["Database", c.database],
  ];
  const losses = new Set(npgsqlLosses(c).map((loss) => loss.part));
  for (const [keyword, value] of Object.entries(c.parameters)) {
    if (losses.has(keyword)) continue;
    const translated = isLibpqParameter(keyword) ? translateOut(NPGSQL_VOCABULARY, keyword, value) : null;
    if (translated) pairs.push([translated.name, translated.value]);
    else if (driverOf(keyword) === "npgsql") pairs.push([keyword.slice("npgsql:".length), value]);
  }
  return pairs.flatMap(([key, value]) => (value === null ? [] : [writeAdoPair(key, value)])).join(";");
}

function writeHosts(c: Connection): [string, string | null][] {
  const all = endpoints(c);
  if (all.every((each) => each.port === c.port)) {
    const hosts = c.host === null ? null : all.map((each) => each.host).join(",");
    return [
      ["Host", hosts],
      ["Port", c.port?.toString() ?? null],
    ];
  }
  const written = all.map(({ host, port }) => {
    const name = host?.includes(":") ? `[${host}]` : host;
    return port === null ? name : `${name}:${port}`;
  });
  return [["Host", written.join(",")]];
}

/** Reads a connection string; keywords in any case, with Npgsql's synonyms. A later pair wins, an empty value takes an
 *  earlier one back. Throws ConnectionFormatError. */
export function fromNpgsql(text: string): Connection {
  const pairs = new Map<string, { value: string; position: number; key: string }>();
  for (const { key, value, position } of readAdo(text, FORM)) {
    const folded = NPGSQL_VOCABULARY.fold(key);
    const name = PARTS[folded] ?? NPGSQL_VOCABULARY.aliases[folded] ?? folded;
    pairs.set(NPGSQL_VOCABULARY.fold(name), { value, position, key });
  }
  const settings = new LibpqSettings(FORM);
  readHosts(settings, pairs.get("host")?.value ?? "", pairs.get("port")?.value ?? "");
  for (const [name, { value, position, key }] of pairs) {
    if (name === "host" || name === "port") continue;
    if (name === "user" || name === "password" || name === "dbname") settings.set(name, value, position);
    else storeParameter(settings, key, value, position);
  }
  return settings.connection();
}

function storeParameter(settings: LibpqSettings, key: string, value: string, position: number): void {
  const translated = translateIn(NPGSQL_VOCABULARY, key, value);
  if (translated.kind === "unknown-name")
    throw new ConnectionFormatError(FORM, "a keyword is not one that Npgsql knows", { position });
  if (value === "") return;
  if (translated.kind === "parameter") settings.set(translated.keyword, translated.value, position);
  else if (translated.kind === "own") settings.setDriverParameter(translated.key, translated.value);
  else
    throw new ConnectionFormatError(FORM, `the value of '${translated.name}' has no equal in libpq's terms`, {
      position,
      part: translated.name,
    });
}

/** `host:port` by Npgsql's rule: the text behind the last colon, unless other colons make it an IPv6 address. */
function readHosts(settings: LibpqSettings, hostText: string, port: string): void {
  const several = hostText.includes(",");
  const all = hostText.split(",").map((each) => {
    const host = several ? each.trim() : each;
    const colon = host.lastIndexOf(":");
    const other = host.slice(0, Math.max(colon, 0)).lastIndexOf(":");
    const bracket = host.lastIndexOf("]");
    const split = colon !== -1 && (other === -1 || (colon > bracket && other < bracket));
    if ((isSocket(host) && !several) || !split) return { host: unbracket(host), port };
    return { host: unbracket(host.slice(0, colon)), port: host.slice(colon + 1) };
  });
  settings.set("host", all.map((each) => each.host).join(","));
  settings.set("port", all.map((each) => each.port).join(","));
}

function unbracket(host: string): string {
  return /^\[.*\]$/s.test(host) ? host.slice(1, -1) : host;
}

/** The variable that .NET reads as the connection string of this name. Throws ConnectionFormatError for a name that
 *  .NET would take for a path (`__`) or that is empty. */
export function connectionStringVariable(name: string): string {
  if (!/^[A-Za-z0-9_.-]+$/.test(name) || name.includes("__"))
    throw new ConnectionFormatError(
      FORM,
      "the name of a connection string has letters, digits, '-', '.' and single '_'",
    );
  return `${VARIABLE_PREFIX}${name}`;
}

/** `{ ConnectionStrings__orders: "Host=…" }` for the name `orders`. */
export function toConnectionStrings(name: string, c: Connection, options: EncodeOptions = {}): Record<string, string> {
  return { [connectionStringVariable(name)]: toNpgsql(c, options) };
}

/** The connection of that name in an environment, in whose names case does not matter to .NET, or null. */
export function fromConnectionStrings(
  name: string,
  variables: Readonly<Record<string, string | undefined>>,
): Connection | null {
  const wanted = connectionStringVariable(name).toLowerCase();
  const found = Object.entries(variables).find(([key, value]) => key.toLowerCase() === wanted && value);
  return found?.[1] ? fromNpgsql(found[1]) : null;
}
