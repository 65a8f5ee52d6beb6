import { describe, expect, test } from "vitest";
import { type ConnectionInit, connection } from "./connection.js";
import { ConnectionFormatError } from "./error.js";
import {
  connectionStringVariable,
  fromConnectionStrings,
  fromNpgsql,
  toConnectionStrings,
  toNpgsql,
} from "./npgsql.js";

test.each<[string, ConnectionInit]>([
  ["", {}],
  [
    "Host=myserver;Username=mylogin;Password=mypass;Database=mydatabase",
    { host: "myserver", username: "mylogin", password: "mypass", database: "mydatabase" },
  ],
  [
    "Server=127.0.0.1;Port=5432;User Id=u;PWD=p;DB=d;",
    { host: "127.0.0.1", port: 5432, username: "u", password: "p", database: "d" },
  ],
  [" ; HOST = h ;; uid=u ; ", { host: "h", username: "u" }],
  [`Host=h;Password="a;b""c"`, { host: "h", password: 'a;b"c' }],
  ["Host=h;Password='it''s = ;'", { host: "h", password: "it's = ;" }],
  [`Host=h;Password=' '`, { host: "h", password: " " }],
  [`Host=h;Password=a"b'c=d e;Database=d`, { host: "h", password: `a"b'c=d e`, database: "d" }],
  ["Host=h;Password=a;Password=b", { host: "h", password: "b" }],
  ["Host=h;Username=u;UID=", { host: "h" }],
  ["Host=h:5433", { host: "h", port: 5433 }],
  ["Host=::1;Port=5433", { host: "::1", port: 5433 }],
  ["Host=[::1]:5433", { host: "::1", port: 5433 }],
  [
    "Host=a:1, b ,[::1]:3;Port=2",
    {
      host: "a",
      port: 1,
      fallbacks: [
        { host: "b", port: 2 },
        { host: "::1", port: 3 },
      ],
    },
  ],
  ["Host=/var/run/postgresql", { host: "/var/run/postgresql" }],
  [
    "Host=h;SSL Mode=VerifyFull;SslCertificate=/c;Timeout=30;Include Error Detail=true;MaxPoolSize=5",
    {
      host: "h",
      parameters: {
        sslmode: "verify-full",
        sslcert: "/c",
        connect_timeout: "30",
        "npgsql:Include Error Detail": "true",
        "npgsql:Maximum Pool Size": "5",
      },
    },
  ],
  ["Host=h;Require Auth=ScramSHA256, MD5", { host: "h", parameters: { require_auth: "scram-sha-256,md5" } }],
  [
    "Host=a,b;Target Session Attributes=prefer-primary",
    {
      host: "a",
      fallbacks: [{ host: "b", port: null }],
      parameters: { "npgsql:Target Session Attributes": "prefer-primary" },
    },
  ],
])("fromNpgsql reads %j", (text, init) => {
  expect(fromNpgsql(text)).toStrictEqual(connection(init));
});

test.each<[string, string]>([
  ["Host", "a keyword is not followed by '=' (at character 1)"],
  ["=h", "a keyword is missing in front of '=' (at character 1)"],
  ["Host=h;Password='p", "a quoted value is not closed (at character 17)"],
  [`Host=h;Password="p"q`, "after a quoted value only ';' may follow (at character 20)"],
  ["Host=h;Password=p'", "an unquoted value may not end with a quote (at character 18)"],
  ["Host=h;Password=a\u0001b", "a control character must be in quotes (at character 18)"],
  ["Host=h;Polling=true", "a keyword is not one that Npgsql knows (at character 8)"],
  ["Host=h;User==Id=u", "a keyword is not one that Npgsql knows (at character 8)"],
  ["Host=h;SSL Mode=Requrie", "the value of 'SSL Mode' has no equal in libpq's terms (at character 8)"],
  ["Host=h;Port=x", "the port is not a whole number from 1 to 65535"],
])("fromNpgsql refuses %j", (text, message) => {
  expect(() => fromNpgsql(text)).toThrow(new ConnectionFormatError("npgsql", message).message);
});

describe("toNpgsql", () => {
  // The cases that .NET's DbConnectionStringBuilder documents in its own source, and Aspire's order of keywords.
  test.each<[string, string]>([
    ["value", "value"],
    ['val"ue', `'val"ue'`],
    ["val'ue", `"val'ue"`],
    ["=value", `"=value"`],
    [";value", `";value"`],
    [" value", `" value"`],
    ["va lue", `"va lue"`],
    [`va'"lue`, `"va'""lue"`],
    ["p@ss:w/rd%?#", "p@ss:w/rd%?#"],
  ])("quotes %j as .NET does", (password, written) => {
    const c = connection({ host: "localhost", port: 5432, username: "postgres", password, database: "d" });
    expect(toNpgsql(c)).toBe(`Host=localhost;Port=5432;Username=postgres;Password=${written};Database=d`);
  });

  test.each<[ConnectionInit, string]>([
    [{ host: "a", port: 1, fallbacks: [{ host: "b", port: 1 }] }, "Host=a,b;Port=1"],
    [{ host: "a", port: 1, fallbacks: [{ host: "::1", port: 2 }] }, "Host=a:1,[::1]:2"],
    [
      { host: "h", parameters: { sslmode: "verify-ca", keepalives: "1", "npgsql:Pooling": "false" } },
      "Host=h;TCP Keepalive=True;Pooling=false;SSL Mode=VerifyCA",
    ],
  ])("writes %j", (init, text) => {
    expect(toNpgsql(connection(init))).toBe(text);
  });

  test.each<[string, ConnectionInit]>([
    ["a port in the host's name", { host: "a:1" }],
    ["sockets with ports of their own", { host: "/a", port: 1, fallbacks: [{ host: "/b", port: 2 }] }],
    ["a parameter without a word", { host: "h", parameters: { keepalives_count: "3" } }],
    ["a kind of server with one host", { host: "h", parameters: { target_session_attrs: "standby" } }],
    ["a timeout beyond Npgsql's", { host: "h", parameters: { connect_timeout: "1025" } }],
  ])("refuses %s", (_what, init) => {
    expect(() => toNpgsql(connection(init))).toThrow(ConnectionFormatError);
  });
});

describe("ConnectionStrings__<name>", () => {
  test("is written for a name and found again, whatever its case", () => {
    const c = connection({ host: "h", password: "p;q" });
    expect(toConnectionStrings("myDatabase", c)).toEqual({ ConnectionStrings__myDatabase: 'Host=h;Password="p;q"' });
    expect(
      fromConnectionStrings("mydatabase", { CONNECTIONSTRINGS__MYDATABASE: 'Host=h;Password="p;q"' }),
    ).toStrictEqual(c);
    expect(fromConnectionStrings("other", { ConnectionStrings__myDatabase: "Host=h" })).toBeNull();
  });

  test("refuses names that .NET reads as a path", () => {
    expect(() => connectionStringVariable("a__b")).toThrow(ConnectionFormatError);
    expect(() => connectionStringVariable("")).toThrow(ConnectionFormatError);
  });
});
