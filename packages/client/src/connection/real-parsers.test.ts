/**
 * What other people's parsers make of what we write: node's `pg`, WHATWG's URL, and libpq itself, asked through psql,
 * which here logs in to a listener that only writes down what it is told.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse as parseWithPg } from "pg-connection-string";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Connection, connection } from "./connection.js";
import { fromKeywordValue, toKeywordValue } from "./keyword-value.js";
import { toPgVariables } from "./pg-variables.js";
import { fromUri, toUri } from "./uri.js";

const CHARACTERS = [..."@/:%#?&=+;,[]{}$!*().-_~|<>^`'\"\\ \n\t\u0001\u00a0\ufeffé漢𝄞aZ0"];
const text = fc.string({ unit: fc.constantFrom(...CHARACTERS), minLength: 1, maxLength: 8 });
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
const reachable = fc.record({
  host,
  port: fc.integer({ min: 1, max: 65_535 }),
  username: text,
  password: text,
  application_name: text,
});

describe("node's pg reads our URI", () => {
  test("with every character in user, password and parameters", () => {
    fc.assert(
      fc.property(reachable, ({ application_name, ...c }) => {
        const read = parseWithPg(toUri(connection({ ...c, database: "db", parameters: { application_name } })));
        expect(read).toMatchObject({
          host: normalHost(c.host),
          port: String(c.port),
          user: c.username,
          password: c.password,
          database: "db",
          application_name,
        });
      }),
    );
  });

  test("with every character in the database but '#' and '?', which pg leaves encoded", () => {
    const database = text.filter((name) => !/[#?]/.test(name) && !name.split("/").some((each) => /^\.\.?$/.test(each)));
    fc.assert(
      fc.property(database, (name) => {
        expect(parseWithPg(toUri(connection({ host: "localhost", database: name }))).database).toBe(name);
      }),
    );
  });

  test("with the folder of a Unix socket, and credentials for it", () => {
    const read = parseWithPg(
      toUri(connection({ host: "/var/run/a b#?", port: 5433, username: "ü", password: "p@/:", database: "d" })),
    );
    expect(read).toMatchObject({ host: "/var/run/a b#?", port: "5433", user: "ü", password: "p@/:", database: "d" });
  });
});

test("WHATWG's URL reads the same parts", () => {
  fc.assert(
    fc.property(reachable, text, ({ application_name, ...c }, database) => {
      const url = new URL(toUri(connection({ ...c, database, parameters: { application_name } })));
      expect(unbracket(url.hostname)).toBe(normalHost(c.host));
      expect(url.port).toBe(String(c.port));
      expect(decodeURIComponent(url.username)).toBe(c.username);
      expect(decodeURIComponent(url.password)).toBe(c.password);
      expect(url.searchParams.get("dbname") ?? decodeURIComponent(url.pathname.slice(1))).toBe(database);
      expect(url.searchParams.get("application_name")).toBe(application_name);
      expect(url.hash).toBe("");
    }),
  );
});

/** WHATWG's parser, which pg uses as well, writes IPv6 addresses in their shortest form. */
function normalHost(name: string): string {
  return name.includes(":") ? unbracket(new URL(`http://[${name}]`).hostname) : name;
}

function unbracket(name: string): string {
  return name.replace(/^\[(.*)\]$/, "$1");
}

const PSQL = "psql";
const psqlVersion = await new Promise<string | null>((resolve) => {
  execFile(PSQL, ["--version"], (error, stdout) => resolve(error ? null : stdout.trim()));
});
if (psqlVersion === null)
  console.warn("SKIPPED: what libpq makes of our strings is not compared, because there is no psql on PATH");

interface Login {
  readonly parameters: Readonly<Record<string, string>>;
  readonly password: string;
}

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CLEARTEXT_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/** Plays a server up to the password, which it asks for in clear, and then hangs up. */
function serve(socket: Socket, record: (login: Login) => void): void {
  let buffered = Buffer.alloc(0);
  let parameters: Record<string, string> | null = null;
  // psql hangs up in its own ways; what it had to say has been said.
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      // [int32 length incl. itself][…] for the startup packet, ['p'][int32 length incl. itself][…] for the password.
      const header = parameters === null ? 0 : 1;
      if (buffered.length < header + 4) return;
      const end = header + buffered.readInt32BE(header);
      if (buffered.length < end) return;
      const body = buffered.subarray(header + 4, end);
      buffered = buffered.subarray(end);
      const code = parameters === null ? body.readInt32BE(0) : null;
      if (code === SSL_REQUEST || code === GSS_REQUEST) socket.write("N");
      else if (parameters === null) {
        const words = body.subarray(4).toString("utf8").split("\0");
        parameters = {};
        for (let i = 0; i + 1 < words.length && words[i] !== ""; i += 2)
          parameters[words[i] ?? ""] = words[i + 1] ?? "";
        socket.write(CLEARTEXT_PASSWORD);
      } else {
        record({ parameters, password: body.subarray(0, -1).toString("utf8") });
        socket.end();
        return;
      }
    }
  });
}

describe.skipIf(psqlVersion === null)(`libpq (${psqlVersion}) reads our strings`, () => {
  const DIFFICULT = [
    "@/:%#?&=",
    `'"\\`,
    " a  b ",
    "line\nbreak\ttab",
    "éß漢𝄞🐘",
    "+%2B%20%41",
    "a=b c='d'",
    "postgres://u:p@h/d?x=y#z",
    ";,[]{}$!*()|<>^`~",
    "..",
    "\u00a0\ufeff\u0085",
  ];
  const server: Server = createServer((socket) => serve(socket, (login) => logins.push(login)));
  let logins: Login[] = [];
  let folder = "";
  let port = 0;
  const socketServers: Server[] = [];

  beforeAll(async () => {
    await listen(server, 0, "127.0.0.1");
    port = (server.address() as AddressInfo).port;
    folder = await mkdtemp(join(tmpdir(), "howdah-"));
  });
  afterAll(async () => {
    for (const each of [server, ...socketServers]) await new Promise((resolve) => each.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs psql with nothing of this process's environment but PATH, and says what it logged in with. */
  async function login(conninfo: string | null, variables: Record<string, string> = {}): Promise<Login> {
    logins = [];
    const args = ["-X", "-w", "-c", "select 1", ...(conninfo === null ? [] : ["-d", conninfo])];
    const stderr = await new Promise<string>((resolve) => {
      const env = { PATH: process.env["PATH"], HOME: folder, ...variables };
      execFile(PSQL, args, { env }, (_error, _stdout, errors) => resolve(errors));
    });
    // psql fails in any case, because nobody answers it; its complaint is shown when it said nothing first.
    expect(logins.length, stderr).toBe(1);
    return logins[0] ?? { parameters: {}, password: "" };
  }

  function expected(c: Connection) {
    const { application_name, options } = c.parameters;
    return { parameters: { user: c.username, database: c.database, application_name, options }, password: c.password };
  }

  test.each(DIFFICULT)("%j in every part", async (difficult) => {
    const c = connection({
      host: "127.0.0.1",
      port,
      username: `u${difficult}`,
      password: `p${difficult}`,
      database: difficult,
      parameters: { application_name: difficult, options: `-c a.b=${difficult}`, sslmode: "prefer" },
    });
    expect(await login(toUri(c))).toMatchObject(expected(c));
    expect(await login(toKeywordValue(c))).toMatchObject(expected(c));
    expect(await login(null, toPgVariables(c))).toMatchObject(expected(c));
  });

  test.each(["plain", "@ %#?&=", `'"\\`, "é𝄞:", " a "])("a Unix socket in the folder %j", async (name) => {
    const directory = join(folder, name);
    await mkdir(directory);
    const each = createServer((socket) => serve(socket, (entry) => logins.push(entry)));
    socketServers.push(each);
    await listen(each, join(directory, ".s.PGSQL.5433"));
    const c = connection({ host: directory, port: 5433, username: "me@home", password: "p:/?", database: "d" });
    expect(await login(toUri(c))).toMatchObject({ password: "p:/?", parameters: { user: "me@home", database: "d" } });
    expect(await login(toKeywordValue(c))).toMatchObject({ password: "p:/?" });
    expect(await login(null, toPgVariables(c))).toMatchObject({ password: "p:/?" });
  });

  test("several hosts are tried in their order", async () => {
    const c = connection({
      host: folder,
      port: 1,
      fallbacks: [{ host: "127.0.0.1", port }],
      username: "u",
      password: "p",
      database: "d",
    });
    expect(await login(toUri(c))).toMatchObject({ password: "p" });
    expect(await login(toKeywordValue(c))).toMatchObject({ password: "p" });
    expect(await login(null, toPgVariables(c))).toMatchObject({ password: "p" });
  });

  /** Texts of other people, read by libpq and by us. */
  test("and we read other people's URIs and keyword strings as libpq does", async () => {
    const uris = [
      `postgres://u%40x:p%3a@127.0.0.1:${port}/d%2fe?application_name=a+b`,
      `postgresql://127.0.0.1/d?port=${port}&user=u&password=p#x`,
      `postgresql://u:p:q@127.0.0.1:${port}/d/e:f`,
      `postgresql://u:p@ignored:1/ignored?host=127.0.0.1&port=${port}&dbname=d`,
      `postgresql://u:p@127%2E0.0.1:${port}/d?application_name=`,
    ];
    for (const uri of uris) expect(await login(uri), uri).toMatchObject(seen(fromUri(uri)));
    const strings = [
      ` host = 127.0.0.1 port=${port} user = 'u v' password=p\\'\\ q dbname='d'application_name='a\\'\\\\b'`,
      `host=127.0.0.1 port='${port}' user=first user=second password=p dbname=d\\`,
      `host=127.0.0.1\tport=${port}\nuser=ü\u00a0 password= p dbname=d options=''`,
    ];
    for (const each of strings) expect(await login(each), each).toMatchObject(seen(fromKeywordValue(each)));
  });

  function seen(c: Connection) {
    expect(c.host).toBe("127.0.0.1");
    expect(c.port).toBe(port);
    return { password: c.password, parameters: { user: c.username, database: c.database } };
  }
});

function listen(server: Server, ...where: [number, string] | [string]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    if (where.length === 1) server.listen(where[0], resolve);
    else server.listen(where[0], where[1], resolve);
  });
}
