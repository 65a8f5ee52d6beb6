import { describe, expect, test } from "vitest";
import {
  airflowVariable,
  fromAirflow,
  fromAirflowVariables,
  toAirflowJson,
  toAirflowUri,
  toAirflowVariables,
} from "./airflow.js";
import { type ConnectionInit, connection } from "./connection.js";
import { ConnectionFormatError } from "./error.js";

// The examples of Airflow's documentation with its types and hosts made PostgreSQL's, then its parser's edges.
test.each<[string, ConnectionInit]>([
  [
    "postgres://my-login:my-password@my-host:5432/my-schema?sslmode=require&connect_timeout=10",
    {
      host: "my-host",
      port: 5432,
      username: "my-login",
      password: "my-password",
      database: "my-schema",
      parameters: { sslmode: "require", connect_timeout: "10" },
    },
  ],
  ["postgresql://u:p%40%2F@h/d%2Fe", { host: "h", username: "u", password: "p@/", database: "d/e" }],
  ["postgres://u:p@q:r@h:1", { host: "h", port: 1, username: "u", password: "p@q:r" }],
  ["postgres://@:5432", { port: 5432 }],
  ["postgres://:p@%2Fvar%2Frun%2Fpostgresql/d", { host: "/var/run/postgresql", password: "p", database: "d" }],
  ["postgres://u@[::1]:5432", { host: "::1", port: 5432, username: "u" }],
  ["postgres://u@%3A%3A1:5432", { host: "::1", port: 5432, username: "u" }],
  ["postgres://a%2Cb:5432/d", { host: "a", port: 5432, fallbacks: [{ host: "b", port: 5432 }], database: "d" }],
  ["postgres://h/?application_name=a+b%2Bc", { host: "h", parameters: { application_name: "a b+c" } }],
  ["postgres://h/?cursor=dictcursor", { host: "h", parameters: { "airflow:cursor": '"dictcursor"' } }],
  [
    `postgres://h/?__extra__=${encodeURIComponent('{"iam": true, "keepalives_idle": 30, "sqlalchemy_query": {"a": "b"}}')}`,
    {
      host: "h",
      parameters: { keepalives_idle: "30", "airflow:iam": "true", "airflow:sqlalchemy_query": '{"a":"b"}' },
    },
  ],
  [
    `{"conn_type": "postgres", "login": "my-login", "password": "my-password", "host": "my-host", "port": 1234,
      "schema": "my-schema", "extra": {"sslmode": "verify-ca"}}`,
    {
      host: "my-host",
      port: 1234,
      username: "my-login",
      password: "my-password",
      database: "my-schema",
      parameters: { sslmode: "verify-ca" },
    },
  ],
  [
    ` {"port": "1234", "extra": "{\\"sslmode\\": \\"allow\\"}", "description": "x", "host": null} `,
    { port: 1234, parameters: { sslmode: "allow" } },
  ],
  [`{"extra": {"dbname": "wins", "options": null}, "schema": "loses"}`, { database: "wins" }],
])("fromAirflow reads %s", (value, init) => {
  expect(fromAirflow(value)).toStrictEqual(connection(init));
});

test.each<[string, string]>([
  ["mysql://h", "Airflow connection URI: it does not start with 'postgres://' (at character 1)"],
  ["postgres://u:p#q@h", "Airflow connection URI: '#' must be percent-encoded (at character 15)"],
  ["postgres://https://h", "Airflow connection URI: a second '://' must be percent-encoded (at character 17)"],
  ["postgres://u:p q@h", "Airflow connection URI: white space must be percent-encoded (at character 15)"],
  ["postgres://h:x", "Airflow connection URI: the port is not a whole number from 1 to 65535 (at character 12)"],
  ["postgres://h/?sslmod=require", "Airflow connection URI: a parameter is not one that PostgreSQL knows"],
  ["postgres://h/?__extra__=[1]", "Airflow connection URI: the extra is not a JSON object"],
  ['{"password": "p', "Airflow connection JSON: the text is not valid JSON"],
  ['{"conn_type": "mysql"}', "Airflow connection JSON: 'conn_type' is not 'postgres'"],
  ['{"user": "u"}', "Airflow connection JSON: a field is none of conn_type, login"],
  ['{"login": 1}', "Airflow connection JSON: 'login' is not a text"],
  ['{"port": {}}', "Airflow connection JSON: the port is not a whole number"],
  ['{"port": 1.5}', "Airflow connection JSON: the port is not a whole number"],
  ['{"extra": 1}', "Airflow connection JSON: 'extra' is not an object"],
  ['{"extra": {"sslmode": ["a"]}}', "Airflow connection JSON: an extra for PostgreSQL is neither a text nor a number"],
])("fromAirflow refuses %s", (value, message) => {
  expect(() => fromAirflow(value)).toThrow(message);
  expect(() => fromAirflow(value)).toThrow(ConnectionFormatError);
});

describe("what Airflow is given", () => {
  const c = connection({
    host: "127.0.0.1",
    port: 5432,
    username: "u",
    password: "p@ss:w/rd%?# +",
    database: "d",
    parameters: { application_name: "a b", sslmode: "require" },
  });

  test("is the URI that its own get_uri() writes, but for spaces in extras", () => {
    expect(toAirflowUri(c)).toBe(
      "postgres://u:p%40ss%3Aw%2Frd%25%3F%23%20%2B@127.0.0.1:5432/d?application_name=a%20b&sslmode=require",
    );
    expect(toAirflowUri(connection({ port: 5432 }))).toBe("postgres://@:5432");
    expect(toAirflowUri(connection({ host: "::1", parameters: { "airflow:iam": "true" } }))).toBe(
      "postgres://%3A%3A1/?__extra__=%7B%22iam%22%3Atrue%7D",
    );
  });

  test("or the JSON with its names for the parts", () => {
    expect(JSON.parse(toAirflowJson(c))).toEqual({
      conn_type: "postgres",
      login: "u",
      password: "p@ss:w/rd%?# +",
      host: "127.0.0.1",
      port: 5432,
      schema: "d",
      extra: { application_name: "a b", sslmode: "require" },
    });
    expect(toAirflowJson(connection())).toBe('{"conn_type":"postgres"}');
  });

  test("under the name of the connection id in capitals", () => {
    expect(toAirflowVariables("my_db", connection({ host: "h" }))).toEqual({ AIRFLOW_CONN_MY_DB: "postgres://h" });
    expect(toAirflowVariables("my_db", connection(), "json")).toEqual({
      AIRFLOW_CONN_MY_DB: '{"conn_type":"postgres"}',
    });
    expect(fromAirflowVariables("my_db", { AIRFLOW_CONN_MY_DB: "postgres://h" })).toStrictEqual(
      connection({ host: "h" }),
    );
    expect(fromAirflowVariables("other", { AIRFLOW_CONN_MY_DB: "postgres://h" })).toBeNull();
    for (const id of ["", "my-db", "a b", "x".repeat(201)])
      expect(() => airflowVariable(id)).toThrow(ConnectionFormatError);
  });

  test("has one port for all hosts", () => {
    const several = connection({ host: "a", port: 1, fallbacks: [{ host: "b", port: 2 }] });
    expect(() => toAirflowUri(several)).toThrow("Airflow connection URI: this form has one port for all hosts");
    expect(() => toAirflowJson(several)).toThrow("Airflow connection JSON: this form has one port for all hosts");
  });
});
