import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromAirflow, toAirflowJson, toAirflowUri } from "./airflow.js";
import { type Connection, type ConnectionInit, connection } from "./connection.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { losses } from "./forms.js";
import { fromJdbc, toJdbc } from "./jdbc.js";
import { fromKeywordValue, toKeywordValue } from "./keyword-value.js";
import { fromNpgsql, toNpgsql } from "./npgsql.js";
import { percentDecode, percentEncodeUserinfo } from "./percent.js";
import { fromPgVariables, toPgVariables } from "./pg-variables.js";
import { fromPostgresVariables, toPostgresVariables } from "./postgres-variables.js";
import { fromUri, toUri } from "./uri.js";

interface Form {
  readonly name: Exclude<FormName, "connection">;
  /** Encodes, leaving out what may be left out, and parses again. */
  readonly roundTrip: (c: Connection) => Connection;
  readonly encode: (c: Connection) => unknown;
  readonly parse: ((text: string) => Connection) | null;
  readonly encodeText: (c: Connection) => string;
}

const omit = { onLoss: "omit" } as const;
const none = () => "";
const FORMS: readonly Form[] = [
  { name: "uri", roundTrip: (c) => fromUri(toUri(c)), encode: toUri, parse: fromUri, encodeText: toUri },
  {
    name: "keyword-value",
    roundTrip: (c) => fromKeywordValue(toKeywordValue(c)),
    encode: toKeywordValue,
    parse: fromKeywordValue,
    encodeText: toKeywordValue,
  },
  {
    name: "pg-variables",
    roundTrip: (c) => fromPgVariables(toPgVariables(c, omit)),
    encode: toPgVariables,
    parse: null,
    encodeText: none,
  },
  {
    name: "postgres-variables",
    roundTrip: (c) => fromPostgresVariables(toPostgresVariables(c)),
    encode: toPostgresVariables,
    parse: null,
    encodeText: none,
  },
  {
    name: "jdbc",
    roundTrip: (c) => fromJdbc(toJdbc(c, omit)),
    encode: toJdbc,
    parse: fromJdbc,
    encodeText: (c) => toJdbc(c, omit),
  },
  {
    name: "npgsql",
    roundTrip: (c) => fromNpgsql(toNpgsql(c, omit)),
    encode: toNpgsql,
    parse: fromNpgsql,
    encodeText: (c) => toNpgsql(c, omit),
  },
  {
    name: "airflow-uri",
    roundTrip: (c) => fromAirflow(toAirflowUri(c)),
    encode: toAirflowUri,
    parse: fromAirflow,
    encodeText: toAirflowUri,
  },
  {
    name: "airflow-json",
    roundTrip: (c) => fromAirflow(toAirflowJson(c)),
    encode: toAirflowJson,
    parse: fromAirflow,
    encodeText: toAirflowJson,
  },
];

const SPECIAL = ["@", "/", ":", "%", "#", "?", "&", "=", "'", '"', "\\", " ", ..."+;,[]{}$!*().-_~|<>^`", "..", "%2F"];
const UNUSUAL = [
  "\n",
  "\t",
  "\r",
  "\u0001",
  "\u007f",
  "\u0085",
  "\u00a0",
  "\ufeff",
  "\u2028",
  "é",
  "ß",
  "漢",
  "𝄞",
  "🐘",
];
const text = fc.string({
  unit: fc.oneof(fc.constantFrom(...SPECIAL), fc.constantFrom(...UNUSUAL), fc.constantFrom("a", "Z", "0", "postgres")),
  minLength: 1,
  maxLength: 10,
});
const anyHost = text.map((value) => value.replaceAll(",", "_"));
const host = fc.oneof(
  { weight: 4, arbitrary: fc.domain() },
  { weight: 2, arbitrary: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("fe80::1%eth0"), fc.constant("bücher.example")) },
  { weight: 1, arbitrary: anyHost.map((value) => `/${value}`) },
  { weight: 1, arbitrary: anyHost },
);
const port = fc.option(fc.integer({ min: 1, max: 65_535 }));
const maybe = fc.option(text);
const parameters = fc.record(
  {
    application_name: text,
    options: text,
    sslrootcert: fc.oneof(text, fc.constant("")),
    sslmode: fc.constantFrom("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    connect_timeout: fc.nat(3_000).map(String),
    target_session_attrs: fc.constantFrom("any", "primary", "standby", "prefer-standby", "read-write", "read-only"),
    require_auth: fc.constantFrom("scram-sha-256", "!password,!md5", "none", "oauth"),
    keepalives: fc.constantFrom("0", "1"),
    load_balance_hosts: fc.constantFrom("disable", "random"),
    "jdbc:currentSchema": text,
    "jdbc:targetServerType": fc.constant("preferPrimary"),
    "npgsql:Search Path": text,
    "npgsql:Pooling": fc.constantFrom("true", "false"),
    "airflow:cursor": text.map((value) => JSON.stringify(value)),
    "airflow:sqlalchemy_query": fc.json(),
  },
  { requiredKeys: [] },
);
const anyConnection = fc
  .record<ConnectionInit>({
    host: fc.option(host),
    port,
    fallbacks: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.record({ host: fc.option(host, { freq: 9 }), port }), { maxLength: 3 }) },
    ),
    username: maybe,
    password: maybe,
    database: maybe,
    parameters: fc
      .tuple(parameters, fc.constantFrom({}, {}, {}, {}, {}, { hostaddr: "10.0.0.1" }))
      .map(([chosen, address]) => ({ ...chosen, ...address }) as Record<string, string>),
  })
  .map((init) => {
    // Both say the same thing to pgjdbc: no text can hold the two.
    const { target_session_attrs: _, ...others } = init.parameters ?? {};
    return connection(others["jdbc:targetServerType"] ? { ...init, parameters: others } : init);
  });

function without(c: Connection, parts: readonly string[]): Connection {
  const kept = Object.entries(c.parameters).filter(([keyword]) => !parts.includes(keyword));
  return connection({ ...c, parameters: Object.fromEntries(kept) });
}

describe.each(FORMS)("$name", (form) => {
  test("brings back every connection, but for the losses that it admits", () => {
    let carried = 0;
    fc.assert(
      fc.property(anyConnection, (c) => {
        const lost = losses(form.name, c);
        if (lost.some((loss) => loss.kind === "essential")) {
          expect(() => form.roundTrip(c)).toThrow(ConnectionFormatError);
          return;
        }
        expect(form.roundTrip(c)).toStrictEqual(
          without(
            c,
            lost.map((loss) => loss.part),
          ),
        );
        carried += 1;
      }),
      { numRuns: 1_000 },
    );
    // Else a form that refuses everything would pass.
    expect(carried).toBeGreaterThan(150);
  });

  test("refuses parameters that it has no word for, unless told to leave them out", () => {
    fc.assert(
      fc.property(anyConnection, (c) => {
        const refuses = losses(form.name, c).some((loss) => loss.kind !== "driver");
        if (refuses) expect(() => form.encode(c)).toThrow(ConnectionFormatError);
        else expect(() => form.encode(c)).not.toThrow();
      }),
    );
  });

  test("takes every special character in user, password and database at once", () => {
    const nasty = `p@ss:w/rd%?#&='"\\ +;é𝄞\n%41`;
    const c = connection({ host: "db.example", port: 5433, username: nasty, password: nasty, database: nasty });
    expect(form.roundTrip(c)).toStrictEqual(c);
  });
});

const FRAGMENTS = [
  "postgresql://",
  "postgres://",
  "jdbc:postgresql:",
  "//",
  "host=",
  "Host=",
  "port=5432",
  "Port=",
  "user",
  "password=",
  "Password=",
  ";",
  "[",
  "]",
  "::1",
  "localhost",
  '{"conn_type":"postgres"',
  '"extra":{',
  "}",
  "__extra__=",
  "sslmode=require",
  "ssl=true",
  "%00",
  "%FF",
  "%C3",
  "\0",
  "\ud800",
  ...SPECIAL,
];
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ maxLength: 3 })), { maxLength: 12 })
    .map((all) => all.join("")),
);

describe.each(FORMS.filter((form) => form.parse !== null))("parser of $name", (form) => {
  const parse = form.parse ?? (() => connection());

  test("throws nothing but ConnectionFormatError, and what it accepts survives writing", () => {
    const prefixes = [
      "",
      "postgresql://",
      "postgres://u:p@h/",
      "jdbc:postgresql://",
      "jdbc:postgresql://h/d?",
      "Host=",
      '{"',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...prefixes), anyText, (prefix, rest) => {
        let c: Connection;
        try {
          c = parse(prefix + rest);
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionFormatError);
          return;
        }
        let written: string;
        try {
          written = form.encodeText(c);
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionFormatError);
          return;
        }
        const lost = losses(form.name, c).map((loss) => loss.part);
        expect(parse(written)).toStrictEqual(without(c, lost));
      }),
      { numRuns: 3_000 },
    );
  });

  test("never repeats a piece of a password that was not escaped", () => {
    const piece = fc.constantFrom("Zq1", "Zq2", "Zq3");
    const password = fc.array(fc.oneof(piece, fc.constantFrom(...SPECIAL, "\n", "=Zq4", "&Zq5=", ";Zq6=", "\0")), {
      minLength: 2,
    });
    const templates: readonly ((p: string) => string)[] = [
      (p) => `postgresql://u:${p}@host:5432/db`,
      (p) => `postgres://host/db?password=${p}&sslmode=require`,
      (p) => `jdbc:postgresql://u:${p}@host/db`,
      (p) => `jdbc:postgresql://host/db?user=u&password=${p}`,
      (p) => `host=h password=${p} dbname=d`,
      (p) => `host=h password='${p}' dbname=d`,
      (p) => `Host=h;Password=${p};Database=d`,
      (p) => `Host=h;Password="${p}";Database=d`,
      (p) => `{"conn_type":"postgres","password":"${p}"}`,
      (p) => `{"conn_type":"postgres","extra":"${p}"}`,
    ];
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...templates), password, (template, pieces) => {
        try {
          parse(template(pieces.join("")));
        } catch (error) {
          refused += 1;
          const shown = JSON.stringify(error, Object.getOwnPropertyNames(error));
          expect(shown).toContain("message");
          expect(shown).not.toMatch(/Zq/);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

describe("percentEncodeUserinfo", () => {
  test("leaves only characters that no URI parser gives a meaning", () => {
    fc.assert(
      fc.property(text, (value) => {
        const encoded = percentEncodeUserinfo(value);
        expect(encoded).toMatch(/^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(encoded)).toBe(value);
        expect(percentDecode(encoded, "uri", 0)).toBe(value);
      }),
    );
  });

  test("encodes the password of the compose door's promise", () => {
    expect(percentEncodeUserinfo("p@ss:w/rd%?#")).toBe("p%40ss%3Aw%2Frd%25%3F%23");
  });

  test("refuses half a surrogate pair", () => {
    expect(() => percentEncodeUserinfo("a\ud83d")).toThrow(ConnectionFormatError);
  });
});
