/**
 * libpq's connection URI (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS):
 *
 *     postgresql://user:password@host:port,host:port/database?parameter=value&…
 *
 * Read by libpq's rules, which are not those of WHATWG's URL: `+` and `#` are literal, a query may replace any part, an
 * unknown parameter is an error. Written so that libpq, node's `pg` and WHATWG URL all read the same parts from it.
 */
import { type Connection, endpoints, isSocket, redact } from "./connection.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { C_SPACE, formatHostList, LibpqSettings, libpqPairs } from "./libpq.js";
import { type Loss, parameterLosses } from "./losses.js";
import { percentDecode, percentEncode, percentEncodeUserinfo } from "./percent.js";

const FORM: FormName = "uri";

/** Everything but the drivers' own parameters. */
export function uriLosses(c: Connection): Loss[] {
  return parameterLosses(c, () => true);
}

/** `postgresql://…`; never refuses: only other drivers' own parameters are left out. */
export function toUri(c: Connection): string {
  return writeUri(c, percentEncodeUserinfo);
}

/** The URI for people, messages and logs, with `***` for each secret in it. */
export function toRedactedUri(c: Connection): string {
  return writeUri(redact(c), (stars) => stars, "/:,*");
}

/** `plain`: what is not encoded in values of the query. */
function writeUri(c: Connection, encodePassword: (password: string) => string, plain = "/:,"): string {
  const query: [string, string][] = [];
  const hosts = writeHosts(c);
  let authority = "";
  if (hosts === null) {
    // Only libpq reads a user name in front of an empty host; every parser reads these from the query.
    const { host, port } = formatHostList(c);
    for (const [keyword, value] of [
      ["host", host],
      ["port", port],
      ["user", c.username],
    ] as const)
      if (value !== null) query.push([keyword, percentEncode(value, plain)]);
    if (c.password !== null) query.push(["password", encodePassword(c.password)]);
  } else {
    const user = c.username === null ? "" : percentEncodeUserinfo(c.username);
    const password = c.password === null ? "" : `:${encodePassword(c.password)}`;
    authority = `${user}${password}${user || password ? "@" : ""}${hosts}`;
  }
  let path = "";
  // A path of dots is resolved away by WHATWG's parser.
  if (c.database?.split("/").some((segment) => /^\.\.?$/.test(segment)))
    query.push(["dbname", percentEncode(c.database, plain)]);
  // pg decodes the path with decodeURI(), which leaves these encoded: write them as they are, where the RFC allows it.
  else if (c.database !== null) path = `/${percentEncode(c.database, "/:@&=+$,;")}`;
  const essential = ["host", "port", "user", "password", "dbname"];
  for (const [keyword, value] of libpqPairs(c))
    if (!essential.includes(keyword)) query.push([keyword, percentEncode(value, plain)]);
  if (query.length === 0) return `postgresql://${authority}${path}`;
  return `postgresql://${authority}${path || "/"}?${query.map(([key, value]) => `${key}=${value}`).join("&")}`;
}

/** `host:port,…`, or null when a host is missing, a socket, or one that other parsers would misread there. */
function writeHosts(c: Connection): string | null {
  const written = endpoints(c).map(({ host, port }) => {
    if (host === null || isSocket(host)) return null;
    let name = percentEncode(host);
    if (host.includes(":")) {
      // A zone (fe80::1%eth0) is no part of WHATWG's addresses.
      if (!/^[0-9A-Fa-f:.]+$/.test(host)) return null;
      name = `[${host}]`;
    }
    return port === null ? name : `${name}:${port}`;
  });
  return written.includes(null) ? null : written.join(",");
}

/** Reads `postgresql://…` or `postgres://…`. Throws ConnectionFormatError. */
export function fromUri(uri: string): Connection {
  const start = uri.length - uri.replace(/^[ \t\n\v\f\r]+/, "").length;
  const text = uri.replace(/[ \t\n\v\f\r]+$/, "");
  const scheme = /^postgres(?:ql)?:\/\//i.exec(text.slice(start))?.[0];
  if (scheme === undefined)
    throw new ConnectionFormatError(FORM, "it does not start with 'postgresql://' or 'postgres://'", {
      position: start,
    });
  const space = text.slice(start).search(C_SPACE);
  if (space !== -1)
    throw new ConnectionFormatError(FORM, "white space must be percent-encoded", { position: start + space });
  return new UriReader(text, start + scheme.length).read();
}

class UriReader {
  readonly #settings = new LibpqSettings(FORM);

  constructor(
    private readonly text: string,
    private at: number,
  ) {}

  read(): Connection {
    this.#userinfo();
    this.#hosts();
    if (this.text[this.at] === "/") {
      const end = this.#find("?", this.at + 1);
      this.#store("dbname", this.at + 1, end);
      this.at = end;
    }
    if (this.text[this.at] === "?") this.#query(this.at + 1);
    return this.#settings.connection();
  }

  /** Up to the first `@`, unless a slash comes first: an `@` in a password must be encoded, as libpq demands. */
  #userinfo(): void {
    const end = this.#find("@/", this.at);
    if (this.text[end] !== "@") return;
    const colon = this.#find(":@", this.at);
    this.#store("user", this.at, colon);
    if (colon < end) this.#store("password", colon + 1, end);
    this.at = end + 1;
  }

  #hosts(): void {
    const hosts: string[] = [];
    const ports: string[] = [];
    const start = this.at;
    for (;;) {
      hosts.push(this.#host());
      let port = "";
      if (this.text[this.at] === ":") {
        const end = this.#find("/?,", this.at + 1);
        port = this.text.slice(this.at + 1, end);
        this.at = end;
      }
      ports.push(port);
      if (this.text[this.at] !== ",") break;
      this.at += 1;
    }
    // libpq decodes the whole list at once, so an encoded comma separates hosts too.
    const host = percentDecode(hosts.join(","), FORM, start);
    const port = percentDecode(ports.join(","), FORM, start);
    if (host !== "") this.#settings.set("host", host, start);
    if (port !== "") this.#settings.set("port", port, start);
  }

  #host(): string {
    const bracketed = this.text[this.at] === "[";
    const start = bracketed ? this.at + 1 : this.at;
    const end = this.#find(bracketed ? "]" : ":/?,", start);
    if (bracketed) {
      const place = { position: this.at, part: "host" };
      if (end === this.text.length) throw new ConnectionFormatError(FORM, "a '[' has no matching ']'", place);
      if (end === start) throw new ConnectionFormatError(FORM, "the IPv6 address is empty", place);
      const next = this.text[end + 1];
      if (next !== undefined && !":/?,".includes(next))
        throw new ConnectionFormatError(FORM, "after an IPv6 address only ':', '/', '?' or ',' may follow", {
          position: end + 1,
          part: "host",
        });
    }
    // libpq would look up a host of this name; an `@` in front is the mark of an abstract socket.
    const stray = this.text.slice(start, end).lastIndexOf("@");
    if (stray > 0)
      throw new ConnectionFormatError(FORM, "an '@' in the user or password must be written as %40", {
        position: this.at,
      });
    this.at = bracketed ? end + 1 : end;
    return this.text.slice(start, end);
  }

  #query(start: number): void {
    for (let at = start; at < this.text.length; ) {
      const end = this.#find("&", at);
      const equals = this.text.indexOf("=", at);
      if (equals === -1 || equals > end)
        throw new ConnectionFormatError(FORM, "a query parameter has no '='", { position: at });
      const second = this.text.slice(equals + 1, end).indexOf("=");
      if (second !== -1)
        throw new ConnectionFormatError(FORM, "a query parameter has a second '='; write it as %3D", {
          position: equals + 1 + second,
        });
      const keyword = percentDecode(this.text.slice(at, equals), FORM, at);
      const value = percentDecode(this.text.slice(equals + 1, end), FORM, equals + 1);
      // As libpq does for the sake of old JDBC URLs.
      if (keyword === "ssl" && value === "true") this.#settings.set("sslmode", "require", at);
      else this.#settings.set(keyword, value, at);
      at = end + 1;
    }
  }

  /** The offset of the first of these characters, or of the end. */
  #find(characters: string, from: number): number {
    let at = from;
    while (at < this.text.length && !characters.includes(this.text.charAt(at))) at += 1;
    return at;
  }

  #store(keyword: string, start: number, end: number): void {
    const value = percentDecode(this.text.slice(start, end), FORM, start);
    if (value !== "") this.#settings.set(keyword, value, start);
  }
}
