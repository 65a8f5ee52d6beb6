import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { bind, type Parameters, placeholdersOf } from "./bind.js";
import { Database } from "./database.js";

const one = placeholdersOf("select :value");

describe("bind", () => {
  test("finds each placeholder once", () => {
    expect(placeholdersOf("select :a, :b_2 where x = :a")).toEqual(new Set(["a", "b_2"]));
    expect(placeholdersOf("select 1")).toEqual(new Set());
  });

  test.each([
    ["null", null, null],
    ["a whole number", 7, 7n],
    ["a time in milliseconds", 1_760_000_000_000, 1_760_000_000_000n],
    ["a fraction", 0.5, 0.5],
    ["a bigint", 2n ** 62n, 2n ** 62n],
    ["text", "ü 😀", "ü 😀"],
    ["no text", "", ""],
  ])("admits %s", (_name, value, expected) => {
    expect(bind(one, { value })).toEqual({ value: expected });
  });

  test.each([
    ["a boolean", true],
    ["a Date", new Date(0)],
    ["an object", { a: 1 }],
    ["an array", [1]],
    ["undefined", undefined],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["a number beyond 2^53", 2 ** 53],
    ["bytes that are not a Buffer", new Uint8Array(1)],
    ["text with NUL", "a\0b"],
  ])("refuses %s, which would end the process or come back altered", (_name, value) => {
    expect(() => bind(one, { value } as unknown as Parameters)).toThrow(TypeError);
  });

  test("counts: a missing and a surplus value are errors", () => {
    expect(() => bind(one, {})).toThrow("no value for parameter ':value'");
    expect(() => bind(one, { value: 1, extra: 2 })).toThrow("the statement has no parameter ':extra'");
    expect(() => bind(one, Object.create({ value: 1 }))).toThrow("no value for parameter ':value'");
  });

  test("what is bound comes back from SQLite as it was", () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-bind-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    using db = Database.open(join(folder, "test.db"));
    const value = { i: 2 ** 53 - 1, f: 0.1, t: "é😀'\"", b: Buffer.from([0, 255, 1]), n: null, e: Buffer.alloc(0) };
    const row = db.one("select :i as i, :f as f, :t as t, :b as b, :n as n, :e as e, typeof(:i) as kind", value);
    expect(row).toEqual({ ...value, kind: "integer" });
  });
});
