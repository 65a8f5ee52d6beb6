import { describe, expect, test } from "vitest";
import { connection } from "./connection.js";
import { ConnectionFormatError } from "./error.js";
import { fromPgVariables, toPgVariables } from "./pg-variables.js";
import { fromPostgresVariables, toPostgresVariables } from "./postgres-variables.js";

const whole = connection({
  host: "127.0.0.1",
  port: 5433,
  username: "app",
  password: "p@ss word",
  database: "shop_production",
  parameters: { sslmode: "require", application_name: "shop" },
});

describe("PG* variables", () => {
  test("have libpq's names", () => {
    const variables = {
      PGHOST: "127.0.0.1",
      PGPORT: "5433",
      PGUSER: "app",
      PGPASSWORD: "p@ss word",
      PGDATABASE: "shop_production",
      PGAPPNAME: "shop",
      PGSSLMODE: "require",
    };
    expect(toPgVariables(whole)).toEqual(variables);
    expect(fromPgVariables({ ...variables, PGDATA: "/var/lib", PATH: "/bin", PGTZ: undefined })).toStrictEqual(whole);
  });

  test("have none for keepalives: refused, or left out when asked", () => {
    const c = connection({ host: "h", parameters: { keepalives: "0" } });
    expect(() => toPgVariables(c)).toThrow("PG* variables: 'keepalives' or its value has no counterpart in this form");
    expect(toPgVariables(c, { onLoss: "omit" })).toEqual({ PGHOST: "h" });
  });

  test("with a wrong port are refused", () => {
    expect(() => fromPgVariables({ PGPORT: "no" })).toThrow(ConnectionFormatError);
  });
});

describe("POSTGRES_* variables", () => {
  test("are the URI and the parts, the database under three names", () => {
    expect(toPostgresVariables(whole)).toEqual({
      POSTGRES_URL:
        "postgresql://app:p%40ss%20word@127.0.0.1:5433/shop_production?application_name=shop&sslmode=require",
      POSTGRES_HOST: "127.0.0.1",
      POSTGRES_PORT: "5433",
      POSTGRES_DB: "shop_production",
      POSTGRES_DATABASE: "shop_production",
      POSTGRES_NAME: "shop_production",
      POSTGRES_USER: "app",
      POSTGRES_PASSWORD: "p@ss word",
    });
  });

  test("may be only the parts, as in a compose file", () => {
    expect(
      fromPostgresVariables({
        POSTGRES_HOST: "database",
        POSTGRES_USER: "u",
        POSTGRES_DATABASE: "d",
        POSTGRES_PASSWORD: "",
      }),
    ).toStrictEqual(connection({ host: "database", username: "u", database: "d" }));
  });

  test("parts fill in what the URL does not say", () => {
    expect(
      fromPostgresVariables({ POSTGRES_URL: "postgres://u@h/d", POSTGRES_PASSWORD: "p", POSTGRES_PORT: "5433" }),
    ).toStrictEqual(connection({ host: "h", port: 5433, username: "u", password: "p", database: "d" }));
    expect(
      fromPostgresVariables({ POSTGRES_URL: "postgres:///d", POSTGRES_HOST: "a,b", POSTGRES_PORT: "1,2" }),
    ).toStrictEqual(connection({ host: "a", port: 1, fallbacks: [{ host: "b", port: 2 }], database: "d" }));
  });

  test.each([
    ["POSTGRES_HOST", { POSTGRES_URL: "postgres://a/d", POSTGRES_HOST: "b" }],
    ["POSTGRES_PORT", { POSTGRES_URL: "postgres://a:1/d", POSTGRES_PORT: "2" }],
    ["POSTGRES_USER", { POSTGRES_URL: "postgres://u@a/d", POSTGRES_USER: "v" }],
    ["POSTGRES_PASSWORD", { POSTGRES_URL: "postgres://u:secret1@a/d", POSTGRES_PASSWORD: "secret2" }],
    ["POSTGRES_DB", { POSTGRES_URL: "postgres://a/d", POSTGRES_NAME: "e" }],
    ["POSTGRES_DATABASE", { POSTGRES_DB: "d", POSTGRES_DATABASE: "e" }],
  ])("a contradiction about %s is refused without the values", (variable, variables) => {
    expect(() => fromPostgresVariables(variables)).toThrow(
      expect.objectContaining({
        part: variable,
        message: expect.stringMatching(
          /^POSTGRES_\* variables: 'POSTGRES_[A-Z]+' and 'POSTGRES_[A-Z]+' contradict each other$/,
        ),
      }),
    );
  });
});
