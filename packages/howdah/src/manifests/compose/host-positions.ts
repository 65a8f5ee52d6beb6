/**
 * Where in a text a host name can stand: as the whole value, before a port, in the authority of a URI (JDBC's
 * included), behind `host=` of libpq's keyword string or `Host=` of Npgsql's. Purely syntactic: it knows no service
 * names, and never points into user info, path, query or words. Offsets are in UTF-16 units.
 */
import { HOLE } from "./value-text.js";

interface Range {
  readonly start: number;
  readonly end: number;
}

export interface HostPosition extends Range {
  readonly port: Range | null;
  /** Where and behind which text a port can be written in when there is none. */
  readonly insertPort: { readonly at: number; readonly before: string } | null;
}

export interface HostPositions {
  readonly form: "none" | "bare" | "host-port" | "uri" | "keywords" | "ado";
  readonly hosts: readonly HostPosition[];
  /** User and password of URIs. */
  readonly userinfo: readonly Range[];
  /** Passwords, of whatever form. */
  readonly passwords: readonly Range[];
}

const NOTHING: HostPositions = { form: "none", hosts: [], userinfo: [], passwords: [] };
const SCHEME = new RegExp(`(?:[A-Za-z][A-Za-z0-9+.-]*|${HOLE})://`, "g");
const AUTHORITY_END = /[/?#\s"'`<>\\]|$/g;
const URI_END = new RegExp(`[\\s"'\`<>]|,(?=(?:[A-Za-z][A-Za-z0-9+.-]*|${HOLE})://)|$`, "g");
/** Their own default ports stand when none is written; everything else that names a database service means PostgreSQL. */
const OTHER_SCHEMES =
  /^(https?|wss?|ftps?|sftp|ssh|tcp|udp|unix|redis|rediss|amqps?|kafka|mongodb(\+srv)?|mysql|mariadb|mssql|sqlserver|nats|grpc|smtp|ldap|s3|file)$/i;
const HOST = `(?:[A-Za-z0-9_.-]+|${HOLE})`;
const PORT = `(?:\\d+|${HOLE})`;
const HOST_PORTS = new RegExp(`^${HOST}:${PORT}(?:,${HOST}:${PORT})*$`);
const BARE = new RegExp(`^${HOST}(?:,${HOST})*$`);
const KEYWORD = /\s*([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']*)(?=\s|$)/y;
const ADO_PAIR = /([^=;]+)=\s*("[^"]*"|'[^']*'|[^;]*)(?:;|$)/y;

export function findHostPositions(text: string): HostPositions {
  const uris = inUris(text);
  if (uris !== null) return uris;
  const keywords = text.includes(";") || /^[A-Z]/.test(text) ? inAdo(text) : inKeywords(text);
  if (keywords !== null) return keywords;
  if (HOST_PORTS.test(text)) return { ...NOTHING, form: "host-port", hosts: hostList(text, 0, null) };
  if (BARE.test(text)) return { ...NOTHING, form: "bare", hosts: hostList(text, 0, null) };
  return NOTHING;
}

function inUris(text: string): HostPositions | null {
  const hosts: HostPosition[] = [];
  const userinfo: Range[] = [];
  const passwords: Range[] = [];
  let any = false;
  SCHEME.lastIndex = 0;
  for (let match = SCHEME.exec(text); match !== null; match = SCHEME.exec(text)) {
    any = true;
    const start = SCHEME.lastIndex;
    // Behind the authority nothing is a host any more: a URI in the query of another one is left alone.
    SCHEME.lastIndex = next(URI_END, text, start);
    let end = next(AUTHORITY_END, text, start);
    // `postgres://a,postgres://b`: the second scheme is no host of the first.
    if (text[end - 1] === ":" && text.startsWith("//", end)) {
      end = Math.max(start, text.lastIndexOf(",", end));
      SCHEME.lastIndex = end;
    }
    const at = text.slice(start, end).lastIndexOf("@");
    if (at !== -1) {
      userinfo.push({ start, end: start + at });
      const colon = text.slice(start, start + at).indexOf(":");
      if (colon !== -1) passwords.push({ start: start + colon + 1, end: start + at });
    }
    const insert = OTHER_SCHEMES.test(match[0].slice(0, -3)) ? null : ":";
    hosts.push(...hostList(text.slice(start + at + 1, end), start + at + 1, insert));
  }
  return any ? { form: "uri", hosts, userinfo, passwords } : null;
}

/** `a:1,b` at an offset; brackets of IPv6 hold no service names. */
function hostList(list: string, offset: number, insertBefore: string | null): HostPosition[] {
  const found: HostPosition[] = [];
  let start = offset;
  for (const item of list.split(",")) {
    const end = start + item.length;
    const colon = item.indexOf(":");
    if (item !== "" && !item.startsWith("[")) {
      const hostEnd = colon === -1 ? end : start + colon;
      const port = colon === -1 || colon === item.length - 1 ? null : { start: hostEnd + 1, end };
      const bareColon = colon !== -1 && port === null;
      const insertPort =
        port !== null || insertBefore === null ? null : { at: end, before: bareColon ? "" : insertBefore };
      found.push({ start, end: hostEnd, port, insertPort });
    }
    start = end + 1;
  }
  return found;
}

interface Pair {
  readonly key: string;
  /** Without quotes. */
  readonly value: Range;
  /** Behind the closing quote. */
  readonly end: number;
}

/** libpq: `host=database port=5432 dbname=app`. */
function inKeywords(text: string): HostPositions | null {
  const pairs = pairsOf(text, KEYWORD);
  const host = pairs?.find((pair) => pair.key === "host");
  if (pairs === null || host === undefined) return null;
  const port = pairs.find((pair) => pair.key === "port");
  return {
    form: "keywords",
    hosts: pairedHosts(text, host, port, " port="),
    userinfo: [],
    passwords: passwordsOf(pairs),
  };
}

/** Npgsql and other ADO.NET strings: `Host=database;Port=5432;Password=…`. */
function inAdo(text: string): HostPositions | null {
  const pairs = pairsOf(text, ADO_PAIR);
  const host = pairs?.find((pair) => pair.key === "host" || pair.key === "server");
  if (pairs === null || host === undefined) return null;
  const port = pairs.find((pair) => pair.key === "port");
  const inline = text.slice(host.value.start, host.value.end).includes(":");
  const hosts = inline
    ? hostList(text.slice(host.value.start, host.value.end), host.value.start, null)
    : pairedHosts(text, host, port, ";Port=");
  return { form: "ado", hosts, userinfo: [], passwords: passwordsOf(pairs) };
}

/** Hosts and ports as two lists of equal length, or one port for all hosts. */
function pairedHosts(text: string, host: Pair, port: Pair | undefined, before: string): HostPosition[] {
  const hosts = listRanges(text, host.value);
  const ports = port === undefined ? [] : listRanges(text, port.value);
  return hosts.map((range, i) => ({
    ...range,
    port: ports.length === hosts.length ? (ports[i] ?? null) : null,
    insertPort: port === undefined && hosts.length === 1 ? { at: host.end, before } : null,
  }));
}

function listRanges(text: string, { start, end }: Range): Range[] {
  let at = start;
  return text
    .slice(start, end)
    .split(",")
    .map((item) => {
      const range = { start: at, end: at + item.length };
      at = range.end + 1;
      return range;
    });
}

function passwordsOf(pairs: readonly Pair[]): Range[] {
  return pairs.filter((pair) => pair.key === "password" || pair.key === "pwd").map((pair) => pair.value);
}

/** All of the text as pairs, or null. */
function pairsOf(text: string, pattern: RegExp): Pair[] | null {
  const pairs: Pair[] = [];
  let at = 0;
  const tail = pattern === ADO_PAIR ? /^[;\s]*$/ : /^\s*$/;
  while (!tail.test(text.slice(at))) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return null;
    const written = match[2] ?? "";
    const start = at + match[0].length - (match[0].endsWith(";") ? 1 : 0) - written.length;
    const value = written.trimEnd();
    const end = start + value.length;
    const quoted = /^(["']).*\1$/s.test(value) && value.length > 1;
    pairs.push({
      key: (match[1] ?? "").trim().toLowerCase(),
      value: quoted ? { start: start + 1, end: end - 1 } : { start, end },
      end,
    });
    at += match[0].length;
  }
  return pairs.length === 0 ? null : pairs;
}

function next(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}
