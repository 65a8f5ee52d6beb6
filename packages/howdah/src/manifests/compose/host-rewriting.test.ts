import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ManagedHosts, rewriteHosts } from "./host-rewriting.js";
import { configPiece, type Pieces, textPiece, toExpression } from "./pieces.js";
import { show } from "./testing/parse.js";

const hosts: ManagedHosts = new Map(
  ["database", "postgres", "db"].map((service) => [service, { service, ports: [5432] }]),
);
const rewrite = (text: string, key = "VALUE") => show(toExpression(rewriteHosts(key, [textPiece(text)], hosts).pieces));

describe("rewriteHosts", () => {
  it.each([
    ["database:5432", "«database.host»:«database.port»"],
    ["database:5433", "«database.host»:5433"],
    ["database:5432,db:5432", "«database.host»:«database.port»,«db.host»:«db.port»"],
    ["postgres://database", "postgres://«database.host»:«database.port»"],
    ["postgres://database/", "postgres://«database.host»:«database.port»/"],
    ["postgres://database:/db", "postgres://«database.host»:«database.port»/db"],
    ["postgres://u:p@database:5432/database", "postgres://u:p@«database.host»:«database.port»/database"],
    ["postgres://database:database@database/x", "postgres://database:database@«database.host»:«database.port»/x"],
    ["postgres://u:p@a@db:5432/x", "postgres://u:p@a@«db.host»:«db.port»/x"],
    ["postgres://u@db?sslmode=disable", "postgres://u@«db.host»:«db.port»?sslmode=disable"],
    ["postgres://u@[::1]:5432,db/x", "postgres://u@[::1]:5432,«db.host»:«db.port»/x"],
    ["postgres://a/x,postgres://db/y", "postgres://a/x,postgres://«db.host»:«db.port»/y"],
    ["postgres://db,postgres://db", "postgres://«db.host»:«db.port»,postgres://«db.host»:«db.port»"],
    ["postgresql+asyncpg://u@db/x", "postgresql+asyncpg://u@«db.host»:«db.port»/x"],
    ["jdbc:postgresql://db/x?user=db&host=db", "jdbc:postgresql://«db.host»:«db.port»/x?user=db&host=db"],
    [
      "jdbc:postgresql://db:5432,database:5432/x",
      "jdbc:postgresql://«db.host»:«db.port»,«database.host»:«database.port»/x",
    ],
    ["http://db:5432/", "http://«db.host»:«db.port»/"],
    ["http://db/", "http://«db.host»/"],
    ['{"url":"postgres://db:5432/x"}', '{"url":"postgres://«db.host»:«db.port»/x"}'],
    ["host=db user=db", "host=«db.host» port=«db.port» user=db"],
    ["user=db host = 'db' port = '5432'", "user=db host = '«db.host»' port = '«db.port»'"],
    ["host=db,database port=5432,5432", "host=«db.host»,«database.host» port=«db.port»,«database.port»"],
    ["Host=db;Port=5432;Password=db", "Host=«db.host»;Port=«db.port»;Password=db"],
    ["host=db ; port=5432 ;", "host=«db.host» ; port=«db.port» ;"],
    ['Username=db;Host="db"', 'Username=db;Host="«db.host»";Port=«db.port»'],
    ["Server=db:5432;Database=db", "Server=«db.host»:«db.port»;Database=db"],
  ])("%s", (from, to) => expect(rewrite(from)).toBe(to));

  it.each([
    "the database",
    "databases",
    "my-database",
    "database.local",
    "DATABASE",
    "database/5432",
    "/database",
    "database@example.com",
    "postgres://u:database@example.com:5432/database?database=database#database",
    "postgres://databases:5432/x",
    "postgres:///database",
    "mailto:database",
    "user=database dbname=database",
    "Username=database;Database=database",
    "host=example.com dbname=database",
    "hosts=database",
    "-h database",
    "database,cache",
    "https://example.com/?url=postgres://database:5432/x",
    "",
  ])("leaves '%s' alone", (text) => expect(rewrite(text)).toBe(text));

  it.each(["POSTGRES_HOST", "PGHOST", "dbHost", "DB_HOSTNAME", "DATABASE_SERVER", "DB_ADDR", "ANYTHING"])(
    "takes the whole value of %s for a host",
    (key) => expect(rewrite("database", key)).toBe("«database.host»"),
  );

  it.each([
    "POSTGRES_USER",
    "PGUSER",
    "POSTGRES_DB",
    "PGDATABASE",
    "DB_NAME",
    "DB_TYPE",
    "DB_PASSWORD",
    "DB_CONNECTION",
  ])("does not take the value of %s for a host", (key) => expect(rewrite("database", key)).toBe("database"));

  it("says when it was not sure", () => {
    expect(rewriteHosts("ANYTHING", [textPiece("db")], hosts).remarks).toEqual([
      { kind: "taken-for-host", subject: "db" },
    ]);
    expect(rewriteHosts("DB_HOST", [textPiece("db")], hosts).remarks).toEqual([]);
  });

  it("encodes configs in user info only, and decodes defaults that are encoded already", () => {
    const value: Pieces = [
      textPiece("postgres://"),
      configPiece("USER", [textPiece("me", "default")]),
      textPiece(":"),
      configPiece("PW", [textPiece("p%40ss", "default")]),
      textPiece("@database/"),
      configPiece("DB"),
    ];
    const { pieces, remarks } = rewriteHosts("URL", value, hosts);
    expect(show(toExpression(pieces))).toBe("postgres://{%USER|me}:{%PW|p@ss}@«database.host»:«database.port»/{DB}");
    expect(remarks.map(({ subject }) => subject)).toEqual(["USER", "PW"]);
  });

  it("keeps a percent sign of a value of .env, which is no encoding", () => {
    const value = [textPiece("postgres://u:"), configPiece("PW", [textPiece("p%40ss", "dotenv")]), textPiece("@h/d")];
    expect(show(toExpression(rewriteHosts("URL", value, hosts).pieces))).toBe("postgres://u:{%PW|•p%40ss}@h/d");
  });

  it("rewrites a host that a fallback brings, whole or within a URI", () => {
    const host = configPiece("DB_HOST", [textPiece("db", "dotenv")]);
    const shown = (pieces: Pieces) => show(toExpression(rewriteHosts("URL", pieces, hosts).pieces));
    expect(shown([host])).toBe("{DB_HOST|«db.host»}");
    expect(shown([textPiece("postgres://"), host, textPiece(":5432/x")])).toBe(
      "postgres://{DB_HOST|«db.host»}:«db.port»/x",
    );
    expect(shown([configPiece("URL", [textPiece("postgres://db/x")])])).toBe("{URL|postgres://«db.host»:«db.port»/x}");
    expect(shown([configPiece("A"), textPiece("db")])).toBe("{A}db");
  });

  it("changes nothing outside of host position", () => {
    const word = fc.constantFrom("database", "postgres", "db", "x", "5432", "a.b", "%40", "é", "\uFFFC", "-");
    fc.assert(
      fc.property(word, word, word, word, word, (user, password, path, key, value) => {
        const around = (authority: string) => `postgres://${user}:${password}@${authority}/${path}?${key}=${value}`;
        expect(rewrite(around("database:5432"))).toBe(around("«database.host»:«database.port»"));
        expect(rewrite(around("example.com:5432"))).toBe(around("example.com:5432"));
      }),
    );
  });

  it("gives any text back when every endpoint is what was written", () => {
    const token = fc.constantFrom(
      "database",
      "db",
      ":5432",
      "://",
      "postgres",
      "@",
      "/",
      "?",
      ",",
      "=",
      ";",
      " ",
      "host",
      "port",
      "'",
      '"',
      "x",
      "[",
      "\uFFFC",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join("");
        const { pieces } = rewriteHosts("DB_HOST", [textPiece(text)], hosts);
        // Ports that were not written are the only thing that may be added.
        const back = pieces.map((p) =>
          p.kind === "text" ? p.text : p.kind === "service" && p.property === "host" ? p.service : "",
        );
        const resolved = back.join("");
        const bare = (s: string) => s.replaceAll(/5432|[:;]Port=|;Port=| port=|:/g, "");
        expect(bare(resolved)).toBe(bare(text));
      }),
    );
  });
});
