import { describe, expect, test } from "vitest";
import { type ConnectionInit, connection } from "./connection.js";
import { ConnectionFormatError } from "./error.js";
import { fromUri, toUri } from "./uri.js";

describe("fromUri", () => {
  // The examples of libpq's documentation, then those of its own tests.
  test.each<[string, ConnectionInit]>([
    ["postgresql://", {}],
    ["postgresql://localhost", { host: "localhost" }],
    ["postgresql://localhost:5433", { host: "localhost", port: 5433 }],
    ["postgresql://localhost/mydb", { host: "localhost", database: "mydb" }],
    ["postgresql://user@localhost", { host: "localhost", username: "user" }],
    ["postgresql://user:secret@localhost", { host: "localhost", username: "user", password: "secret" }],
    [
      "postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp",
      {
        host: "localhost",
        username: "other",
        database: "otherdb",
        parameters: { connect_timeout: "10", application_name: "myapp" },
      },
    ],
    [
      "postgresql://host1:123,host2:456/somedb?target_session_attrs=any&application_name=myapp",
      {
        host: "host1",
        port: 123,
        fallbacks: [{ host: "host2", port: 456 }],
        database: "somedb",
        parameters: { target_session_attrs: "any", application_name: "myapp" },
      },
    ],
    ["postgresql:///mydb?host=localhost&port=5433", { host: "localhost", port: 5433, database: "mydb" }],
    [
      "postgresql://user@localhost:5433/mydb?options=-c%20synchronous_commit%3Doff",
      {
        host: "localhost",
        port: 5433,
        username: "user",
        database: "mydb",
        parameters: { options: "-c synchronous_commit=off" },
      },
    ],
    ["postgresql://[2001:db8::1234]/database", { host: "2001:db8::1234", database: "database" }],
    ["postgresql:///dbname?host=/var/lib/postgresql", { host: "/var/lib/postgresql", database: "dbname" }],
    ["postgresql://%2Fvar%2Flib%2Fpostgresql/dbname", { host: "/var/lib/postgresql", database: "dbname" }],
    [
      "postgresql://host/db?u%73er=someotheruser&port=12345",
      { host: "host", port: 12345, username: "someotheruser", database: "db" },
    ],
    ["postgresql://uri-user@host:12345/?user=x", { host: "host", port: 12345, username: "x" }],
    ["postgres://%68ost/", { host: "host" }],
    ["postgres://@host", { host: "host" }],
    ["postgres://host:/", { host: "host" }],
    ["postgres://:12345/", { port: 12345 }],
    ["postgres://otheruser@?host=/no/such/directory", { host: "/no/such/directory", username: "otheruser" }],
    ["postgres://user@/db", { username: "user", database: "db" }],
    ["postgres://[::1]:5433?sslmode=verify-full", { host: "::1", port: 5433, parameters: { sslmode: "verify-full" } }],
    ["postgres://h?ssl=true", { host: "h", parameters: { sslmode: "require" } }],
    ["postgres://a,b:5433/d", { host: "a", fallbacks: [{ host: "b", port: 5433 }], database: "d" }],
    ["postgres://a,b/d?port=5433", { host: "a", port: 5433, fallbacks: [{ host: "b", port: 5433 }], database: "d" }],
    ["postgres://u@@abstract/d", { host: "@abstract", username: "u", database: "d" }],
    ["postgres://:p@h", { host: "h", password: "p" }],
    ["  postgres://u:p%20q+r#s@h/d#e\n", { host: "h", username: "u", password: "p q+r#s", database: "d#e" }],
  ])("reads %s", (uri, init) => {
    expect(fromUri(uri)).toStrictEqual(connection(init));
  });

  test.each<[string, string, number | null]>([
    ["", "does not start with", 0],
    ["mysql://h", "does not start with", 0],
    ["postgresql+psycopg2://h", "does not start with", 0],
    ["postgres://[::1", "no matching ']'", 11],
    ["postgres://[]", "is empty", 11],
    ["postgres://[::1]z", "only ':', '/', '?' or ',' may follow", 16],
    ["postgresql://%", "two hexadecimal digits", 13],
    ["postgres://u:50%pure@h", "two hexadecimal digits", 15],
    ["postgres://u@h/d%00", "'%00' is not allowed", 16],
    ["postgres://u:%FF@h", "not UTF-8", 13],
    ["postgresql://host?zzz", "no '='", 18],
    ["postgresql://host?sslmode=a=b", "second '='", 27],
    ["postgresql://host?uzer=x", "not one that PostgreSQL knows", 18],
    ["postgresql://h/d?sslmode=require&pgbouncer=true", "not one that PostgreSQL knows", 33],
    ["postgresql://h:5432x/d", "not a whole number", null],
    ["postgresql://h:0/d", "not a whole number", null],
    ["postgresql://h:65536/d", "not a whole number", null],
    ["postgresql://a,b/d?port=1,2,3", "3 ports do not match 2 host(s)", null],
    ["postgresql://u:p q@h", "white space", 16],
    ["postgresql://u:p@ss@h/d", "an '@' in the user or password must be written as %40", 17],
  ])("refuses %s and says where", (uri, reason, position) => {
    const error = catchError(() => fromUri(uri));
    expect(error.form).toBe("uri");
    expect(error.message).toContain(reason);
    expect(error.position).toBe(position);
  });
});

function catchError(run: () => unknown): ConnectionFormatError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConnectionFormatError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test.each<[ConnectionInit, string]>([
  [{}, "postgresql://"],
  [
    { host: "127.0.0.1", port: 5432, username: "postgres", password: "p@ss:w/rd%?#", database: "app" },
    "postgresql://postgres:p%40ss%3Aw%2Frd%25%3F%23@127.0.0.1:5432/app",
  ],
  [{ host: "::1", port: 5432 }, "postgresql://[::1]:5432"],
  [{ host: "fe80::1%eth0", database: "d" }, "postgresql:///d?host=fe80::1%25eth0"],
  [{ host: "h", parameters: { sslmode: "require" } }, "postgresql://h/?sslmode=require"],
  [{ host: "/run/a b", username: "u", database: "d" }, "postgresql:///d?host=/run/a%20b&user=u"],
  [{ username: "u", password: "p@", database: "d" }, "postgresql:///d?user=u&password=p%40"],
  [{ host: "a", fallbacks: [{ host: "b", port: 1 }] }, "postgresql://a,b:1"],
  [{ host: "a", fallbacks: [{ host: "/run", port: 1 }] }, "postgresql:///?host=a,/run&port=,1"],
  [{ host: "h", database: "a/../b" }, "postgresql://h/?dbname=a/../b"],
  [{ host: "h", password: "p" }, "postgresql://:p@h"],
])("toUri writes %j", (init, uri) => {
  expect(toUri(connection(init))).toBe(uri);
});
