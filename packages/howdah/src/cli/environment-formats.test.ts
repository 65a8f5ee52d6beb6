import { execFileSync } from "node:child_process";
import { parseEnv } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatEnvironment, shellQuote } from "./environment-formats.js";
import { readEnvFile } from "./input/env-file.js";

const name = fc.stringMatching(/^HW_[A-Z0-9_]{1,8}$/);
/** Everything that quoting can stumble over, often; and any other text without NUL, which no environment can hold. */
const value = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."'\"\\$`#!&;|<>(){}[]*?~=:%@, \t\n\rabcé☃".split("")), maxLength: 20 }),
  fc.string({ unit: "grapheme", maxLength: 20 }).filter((text) => !text.includes("\0")),
);
const variables = fc.dictionary(name, value, { minKeys: 1, maxKeys: 6, noNullPrototype: true });

describe("the shell form", () => {
  it("gives every value back when a real sh evaluates it", () => {
    fc.assert(
      fc.property(variables, (wanted) => {
        const script = `eval "$1"; exec "$2" -e 'process.stdout.write(JSON.stringify(process.env))'`;
        const args = ["-c", script, "sh", formatEnvironment(wanted, "shell"), process.execPath];
        const seen = JSON.parse(execFileSync("sh", args, { encoding: "utf8", env: { PATH: "/usr/bin:/bin" } }));
        expect(seen).toMatchObject(wanted);
      }),
      { numRuns: 30 },
    );
  });

  it("makes one word of any text", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 50, maxLength: 200 }), (texts) => {
        const script = `printf '%s\\0' ${texts.map(shellQuote).join(" ")}`;
        expect(execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1)).toEqual(texts);
      }),
      { numRuns: 20 },
    );
  });

  it("leaves out names that a shell cannot export", () => {
    expect(formatEnvironment({ "my.name": "x", OK: "a b", "1A": "y" }, "shell")).toBe("export OK='a b'\n");
  });
});

describe("the dotenv form", () => {
  it("gives every value back to the reader of .env files", () => {
    fc.assert(
      fc.property(variables, (wanted) => {
        const { values, diagnostics } = readEnvFile("x.env", formatEnvironment(wanted, "dotenv"));
        expect(diagnostics).toEqual([]);
        expect(values).toEqual(wanted);
      }),
    );
  });

  it("is read alike by Node itself, but for quotes in quotes and line breaks of other systems", () => {
    const simple = fc.dictionary(
      name,
      value.filter((text) => !/['\r]/.test(text) && !text.endsWith("\\")),
      { minKeys: 1, maxKeys: 6, noNullPrototype: true },
    );
    fc.assert(
      fc.property(simple, (wanted) => {
        expect(parseEnv(formatEnvironment(wanted, "dotenv"))).toEqual(wanted);
      }),
    );
  });
});

describe("the JSON form", () => {
  it("is a JSON object", () => {
    fc.assert(
      fc.property(variables, (wanted) => {
        expect(JSON.parse(formatEnvironment(wanted, "json"))).toEqual(wanted);
      }),
    );
  });
});
