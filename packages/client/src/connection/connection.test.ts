import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { connection, endpoints, redact } from "./connection.js";
import { ConnectionFormatError } from "./error.js";
import { losses } from "./forms.js";
import { toRedactedUri } from "./uri.js";

describe("connection", () => {
  test("fills in what is not said, keeps empty texts as not said, and sorts the parameters", () => {
    expect(
      connection({ host: "", password: "", parameters: { sslmode: "require", application_name: "" } }),
    ).toStrictEqual({
      host: null,
      port: null,
      fallbacks: [],
      username: null,
      password: null,
      database: null,
      parameters: { application_name: "", sslmode: "require" },
    });
    expect(Object.keys(connection({ parameters: { sslmode: "a", options: "b" } }).parameters)).toEqual([
      "options",
      "sslmode",
    ]);
  });

  test("cannot be changed afterwards", () => {
    const c = connection({ host: "a", fallbacks: [{ host: "b", port: 1 }], parameters: { sslmode: "require" } });
    for (const part of [c, c.fallbacks, c.fallbacks[0], c.parameters]) expect(Object.isFrozen(part)).toBe(true);
  });

  test("lists the preferred address first", () => {
    const c = connection({ host: "a", port: 1, fallbacks: [{ host: "b", port: null }] });
    expect(endpoints(c)).toEqual([
      { host: "a", port: 1 },
      { host: "b", port: null },
    ]);
  });

  test.each([
    ["a comma in a host", { host: "a,b" }],
    ["a comma in a fallback", { fallbacks: [{ host: "a,b", port: null }] }],
    ["port 0", { port: 0 }],
    ["port 65536", { port: 65_536 }],
    ["a fraction of a port", { port: 1.5 }],
    ["a NUL", { password: "a\0b" }],
    ["half a surrogate pair", { database: "\udc18" }],
    ["an unknown parameter", { parameters: { sslmod: "require" } }],
    ["a part among the parameters", { parameters: { host: "a" } }],
    ["an unknown parameter of a driver", { parameters: { "npgsql:Polling": "true" } }],
    ["an inherited name", { parameters: { constructor: "a" } }],
    ["an Airflow extra that is no JSON", { parameters: { "airflow:cursor": "dictcursor" } }],
  ])("refuses %s", (_what, init) => {
    expect(() => connection(init as unknown as Parameters<typeof connection>[0])).toThrow(ConnectionFormatError);
  });

  test("writes Airflow's extras in one way", () => {
    const c = connection({ parameters: { "airflow:sqlalchemy_query": '{ "a" : [1, 2] }' } });
    expect(c.parameters["airflow:sqlalchemy_query"]).toBe('{"a":[1,2]}');
  });
});

test("redact hides the password and every other secret", () => {
  const c = connection({
    host: "h",
    username: "u",
    password: "hunter2",
    parameters: {
      sslpassword: "hunter2",
      oauth_client_secret: "hunter2",
      "jdbc:socketFactoryArg": "hunter2",
      options: "-c a=b",
    },
  });
  expect(inspect(redact(c))).not.toContain("hunter2");
  expect(redact(c).parameters["options"]).toBe("-c a=b");
  expect(toRedactedUri(c)).toBe("postgresql://u:***@h/?oauth_client_secret=***&options=-c%20a%3Db&sslpassword=***");
  expect(toRedactedUri(connection({ host: "/run", password: "hunter2" }))).toBe(
    "postgresql:///?host=/run&password=***",
  );
});

test("losses names what a form cannot carry, and why", () => {
  const c = connection({
    host: "/run",
    parameters: { hostaddr: "10.0.0.1", client_encoding: "LATIN1", "npgsql:Pooling": "false" },
  });
  expect(losses("uri", c)).toEqual([
    { part: "npgsql:Pooling", kind: "driver", reason: "only the npgsql form carries it" },
  ]);
  expect(losses("jdbc", c).map(({ part, kind }) => [part, kind])).toEqual([
    ["host", "essential"],
    ["client_encoding", "parameter"],
    ["hostaddr", "essential"],
    ["npgsql:Pooling", "driver"],
  ]);
});
