import { expect, test } from "vitest";
import { type ConnectionInit, connection } from "./connection.js";
import { ConnectionFormatError } from "./error.js";
import { fromJdbc, toJdbc } from "./jdbc.js";

// The examples of pgjdbc's documentation, then what its parser does at the edges.
test.each<[string, ConnectionInit]>([
  ["jdbc:postgresql:database", { database: "database" }],
  ["jdbc:postgresql://", {}],
  ["jdbc:postgresql://host/database", { host: "host", database: "database" }],
  ["jdbc:postgresql://host/", { host: "host" }],
  ["jdbc:postgresql://host:5433/database", { host: "host", port: 5433, database: "database" }],
  ["jdbc:postgresql://[::1]:5740/accounting", { host: "::1", port: 5740, database: "accounting" }],
  [
    "jdbc:postgresql://localhost/test?user=fred&password=secret&ssl=true",
    {
      host: "localhost",
      username: "fred",
      password: "secret",
      database: "test",
      parameters: { sslmode: "verify-full" },
    },
  ],
  ["jdbc:postgresql://h/d?ssl=true&sslmode=require", { host: "h", database: "d", parameters: { sslmode: "require" } }],
  ["jdbc:postgresql://h/d?ssl=false", { host: "h", database: "d" }],
  [
    "jdbc:postgresql://localhost/test?options=-c%20search_path=test,public",
    { host: "localhost", database: "test", parameters: { options: "-c search_path=test,public" } },
  ],
  [
    "jdbc:postgresql://node1,node2:5433/accounting?targetServerType=preferSecondary&loadBalanceHosts=true",
    {
      host: "node1",
      fallbacks: [{ host: "node2", port: 5433 }],
      database: "accounting",
      parameters: { target_session_attrs: "prefer-standby", load_balance_hosts: "random" },
    },
  ],
  ["jdbc:postgresql://:5433/my+db%2Fx", { port: 5433, database: "my db/x" }],
  ["jdbc:postgresql://h/d?password=a+b%2Bc&&user=u", { host: "h", database: "d", username: "u", password: "a b+c" }],
  ["jdbc:postgresql://h/?host=x&PGPORT=1&dbname=d", { host: "x", port: 1, database: "d" }],
  [
    "jdbc:postgresql://h/d?currentSchema=app&targetServerType=master",
    { host: "h", database: "d", parameters: { "jdbc:currentSchema": "app", "jdbc:targetServerType": "master" } },
  ],
])("fromJdbc reads %s", (url, init) => {
  expect(fromJdbc(url)).toStrictEqual(connection(init));
});

test.each<[string, string]>([
  ["postgresql://h/d", "it does not start with 'jdbc:postgresql:' (at character 1)"],
  ["jdbc:postgresql://h", "the hosts are not followed by '/' (at character 20)"],
  ["jdbc:postgresql:/d", "a single '/' may not follow the prefix (at character 17)"],
  ["jdbc:postgresql://h/a/b", "a '/' in the database must be written as %2F (at character 22)"],
  ["jdbc:postgresql://u:p@h/d", "user and password belong in the properties 'user' and 'password' (at character 19)"],
  ["jdbc:postgresql://a,,b/d", "a list of hosts needs a name for each (at character 19)"],
  ["jdbc:postgresql://h/d?sslMode=require", "a property is not one that pgjdbc knows (at character 23)"],
  ["jdbc:postgresql://h/d?sslmode=requrie", "the value of 'sslmode' has no equal in libpq's terms (at character 23)"],
  [
    "jdbc:postgresql://h/d?password=50%",
    "a '%' is not followed by two hexadecimal digits; write it as %25 (at character 34)",
  ],
])("fromJdbc refuses %s", (url, message) => {
  expect(() => fromJdbc(url)).toThrow(new ConnectionFormatError("jdbc", message).message);
});

test("toJdbc writes credentials as properties, or leaves them to the application", () => {
  const c = connection({
    host: "127.0.0.1",
    port: 5432,
    username: "postgres",
    password: "p@ss:w/rd%?# +",
    database: "my/db",
    parameters: { application_name: "a&b", keepalives: "1" },
  });
  expect(toJdbc(c)).toBe(
    "jdbc:postgresql://127.0.0.1:5432/my%2Fdb?user=postgres&password=p%40ss%3Aw%2Frd%25%3F%23%20%2B" +
      "&ApplicationName=a%26b&tcpKeepAlive=true",
  );
  expect(toJdbc(connection({ ...c, parameters: {} }), { credentials: "omit" })).toBe(
    "jdbc:postgresql://127.0.0.1:5432/my%2Fdb",
  );
});

test.each<[string, ConnectionInit]>([
  ["a Unix socket", { host: "/run" }],
  ["hostaddr", { host: "h", parameters: { hostaddr: "10.0.0.1" } }],
  ["a host without a name in a list", { host: "a", fallbacks: [{ host: null, port: 1 }] }],
])("toJdbc refuses %s even when it may leave things out", (_what, init) => {
  expect(() => toJdbc(connection(init), { onLoss: "omit" })).toThrow(ConnectionFormatError);
});
