import { expect, it } from "vitest";
import { portKeyFor } from "./port-siblings.js";
import { parse, said, show, stackOf } from "./testing/parse.js";

it.each([
  ["POSTGRES_HOST", "POSTGRES_PORT"],
  ["PGHOST", "PGPORT"],
  ["DB_HOSTNAME", "DB_PORT"],
  ["DB_HOST_NAME", "DB_PORT"],
  ["dbHost", "dbPort"],
  ["db_host", "db_port"],
  ["Database__Server", "Database__Port"],
  ["HOST", "PORT"],
  ["DB_ADDRESS", "DB_PORT"],
  ["DATABASE", undefined],
])("the port of %s is %s", (host, port) => expect(portKeyFor(host)).toBe(port));

function environmentOf(...lines: string[]) {
  const environment = lines.map((line) => `      ${line}\n`).join("");
  const text = `services:\n  db: { image: "postgres:18", x-defang-postgres: true, environment: { PGPORT: 6543 } }\n  app:\n    environment:\n${environment}`;
  const result = parse(text);
  const values = Object.entries(stackOf(result).apps[0]?.environment ?? {}).map(([k, v]) => [k, show(v)]);
  return { values: Object.fromEntries(values) as Record<string, string>, ...result };
}

it("rewrites a neighbour that is the service's port, whatever it is in the file", () => {
  const { values, diagnostics } = environmentOf("DB_HOST: db", "DB_PORT: 6543");
  expect(values).toEqual({ DB_HOST: "{DB_HOST|«db.host»}", DB_PORT: "{DB_PORT|«db.port»}" });
  expect(diagnostics).toEqual([]);
});

it("leaves any other port, with a warning", () => {
  const { values, diagnostics } = environmentOf("DB_HOST: db", "DB_PORT: 5432");
  expect(values["DB_PORT"]).toBe("{DB_PORT|5432}");
  expect(said(diagnostics, "wrong-port")).toHaveLength(1);
});

it("adds the neighbour that is missing, with a notice", () => {
  const { values, diagnostics } = environmentOf("PGHOST: db");
  expect(values["PGPORT"]).toBe("{PGPORT|«db.port»}");
  expect(said(diagnostics, "port-added")).toEqual([
    "'PGPORT' is added to the environment of 'app', because 'PGHOST' is the host of 'db'",
  ]);
});

it("leaves a port that comes from config", () => {
  expect(environmentOf("DB_HOST: db", "DB_PORT:").values["DB_PORT"]).toBe("{DB_PORT}");
});

it.each(["TARGET", "HOST"])("says when it has no name for the port: %s", (key) => {
  const { values, diagnostics } = environmentOf(`${key}: db`);
  expect(Object.keys(values)).toEqual([key]);
  expect(said(diagnostics, "port-missing")).toHaveLength(1);
});
