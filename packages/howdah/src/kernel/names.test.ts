import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkConfigName,
  checkIdentifier,
  checkName,
  databaseNameFor,
  fitName,
  MAX_IDENTIFIER_BYTES,
  projectNameFrom,
} from "./names.js";

const refused = expect.objectContaining({ code: "NAME_INVALID" });
const anyText = fc.string({ unit: "binary", maxLength: 100 });
const longText = fc.string({ unit: "binary", minLength: 30, maxLength: 120 });
/** Pieces that are near each other once lower-cased, cut and cleaned: where collisions would hide. */
const near = fc
  .array(fc.constantFrom("a", "A", "_", "-", ".", "b", "1", "é", "😀", "pg_", "x".repeat(40)), { maxLength: 6 })
  .map((parts) => parts.join(""));

describe("service, project and app names", () => {
  test.each(["a", "database", "my-db_2", "x".repeat(63)])("'%s' is one", (name) => {
    expect(checkName(name, "service")).toBe(name);
  });

  test.each(["", "1a", "-a", "_a", "Db", "a b", "a/b", "a.b", "é", "a\n", "a\0", "x".repeat(64)])(
    "'%s' is none",
    (name) => {
      expect(() => checkName(name, "project")).toThrow(refused);
      expect(() => checkName(name, "project")).toThrow("is not a valid project name");
    },
  );

  test("whatever a folder is called, it yields a valid project name", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, near), (folder) => {
        const name = projectNameFrom(folder);
        expect(checkName(name, "project")).toBe(name);
      }),
    );
    expect(["My App", "2024-shop", "日本", "a.b", "x".repeat(80)].map(projectNameFrom)).toEqual([
      "myapp",
      "shop",
      "default",
      "ab",
      fitName("x".repeat(80)),
    ]);
  });
});

describe("PostgreSQL identifiers", () => {
  test("1 to 63 bytes, not characters", () => {
    expect(checkIdentifier('Ünïcode, spaces and "quotes"', "role")).toContain("quotes");
    expect(checkIdentifier("x".repeat(63), "database")).toHaveLength(63);
    for (const name of ["", "a\0b", "x".repeat(64), "é".repeat(32)]) {
      expect(() => checkIdentifier(name, "database")).toThrow(refused);
    }
  });

  test("a fitted name has at most 63 bytes, keeps whole characters and its beginning", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, longText), (name) => {
        const fitted = fitName(name);
        expect(Buffer.byteLength(fitted)).toBeLessThanOrEqual(MAX_IDENTIFIER_BYTES);
        if (Buffer.byteLength(name) <= MAX_IDENTIFIER_BYTES) expect(fitted).toBe(name);
        else expect(name.startsWith(fitted.replace(/_[0-9a-f]{8}$/, ""))).toBe(true);
      }),
    );
    expect(fitName("é".repeat(40))).toMatch(/^é{27}_[0-9a-f]{8}$/);
    expect(fitName(`x${"é".repeat(40)}`)).toMatch(/^xé{26}_[0-9a-f]{8}$/);
    expect(fitName("😀".repeat(20))).toMatch(/^(😀){13}_[0-9a-f]{8}$/u);
  });

  test("two long names that begin alike stay two", () => {
    fc.assert(
      fc.property(longText, longText, (a, b) => {
        const begin = "same beginning of more than sixty-three bytes, which PostgreSQL would cut";
        fc.pre(a !== b);
        expect(fitName(begin + a)).not.toBe(fitName(begin + b));
      }),
    );
  });

  test("a very long name is fitted at once", () => {
    expect(Buffer.byteLength(fitName("é".repeat(1_000_000)))).toBeLessThanOrEqual(MAX_IDENTIFIER_BYTES);
  });
});

describe("databases of links", () => {
  test("plain names read plainly", () => {
    expect(databaseNameFor("shop", "production")).toBe("shop_production");
    expect(databaseNameFor("My Shop", "production")).toMatch(/^my_shop_production_[0-9a-f]{8}$/);
    expect(databaseNameFor("2048", "production")).toMatch(/^db_2048_production_[0-9a-f]{8}$/);
    expect(databaseNameFor("pg", "production")).toMatch(/^db_pg_production_[0-9a-f]{8}$/);
  });

  test("each pair has a valid name of its own", () => {
    const piece = fc.oneof(near, anyText);
    fc.assert(
      fc.property(piece, piece, piece, piece, (project, environment, otherProject, otherEnvironment) => {
        const name = databaseNameFor(project, environment);
        expect(checkIdentifier(name, "database")).toMatch(/^[a-z_][a-z0-9_]*$/);
        expect(name).not.toMatch(/^pg_/);
        fc.pre(project !== otherProject || environment !== otherEnvironment);
        expect(databaseNameFor(otherProject, otherEnvironment)).not.toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });

  test("pairs that would meet after joining, cutting or lower-casing do not", () => {
    const pairs: [string, string][] = [
      ["a_b", "c"],
      ["a", "b_c"],
      ["a-b", "c"],
      ["A_B", "C"],
      ["x".repeat(70), "production"],
      [`${"x".repeat(70)}y`, "production"],
      ["x".repeat(70), "staging"],
    ];
    const names = pairs.map(([project, environment]) => databaseNameFor(project, environment));
    expect(new Set(names).size).toBe(pairs.length);
  });
});

describe("config names", () => {
  test("letters, digits and _, as in a shell", () => {
    for (const name of ["A", "_", "POSTGRES_PASSWORD", "a1"]) expect(checkConfigName(name)).toBe(name);
    for (const name of ["", "1A", "A-B", "A B", "É", "A=B", "A\n"]) {
      expect(() => checkConfigName(name)).toThrow(
        expect.objectContaining({
          code: "CONFIG_NAME_INVALID",
          message: "invalid config name; must be alphanumeric or _, cannot start with a number",
        }),
      );
    }
  });
});
