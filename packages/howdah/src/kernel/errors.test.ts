import { describe, expect, test } from "vitest";
import { ERROR_CODES, EXIT_CODES, errnoOf, errorSpec, HowdahError, isErrorCode, isHowdahError } from "./errors.js";

const DOCUMENTED = Object.keys(EXIT_CODES).map(Number);

describe("error registry", () => {
  test.each(ERROR_CODES)("%s", (code) => {
    const { hint, exit, status, retryable } = errorSpec(code);
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(hint).toMatch(/^[A-Z][^\n]+[^\s.]\.$/);
    expect(hint, "one sentence").not.toMatch(/\. [A-Z]/);
    expect(DOCUMENTED).toContain(exit);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(typeof retryable).toBe("boolean");
  });

  test("a status of 404 is 'not found' for a script too, and 401 'not allowed'", () => {
    for (const code of ERROR_CODES) {
      const { status, exit } = errorSpec(code);
      expect(exit === 4, code).toBe(status === 404);
      if (status === 401 || status === 403) expect(exit, code).toBe(10);
    }
  });

  test("every documented exit code is used", () => {
    expect(new Set(ERROR_CODES.map((code) => errorSpec(code).exit))).toEqual(new Set(DOCUMENTED));
  });
});

describe("HowdahError", () => {
  test("carries the registry's hint unless a better one is given", () => {
    const cause = new Error("below");
    const place = { file: "compose.yaml", line: 3, column: 5 };
    const error = new HowdahError("PORT_TAKEN", "port 5432 is taken", { cause, place, fields: { port: 5432 } });
    expect(error).toMatchObject({ name: "HowdahError", code: "PORT_TAKEN", cause, place, fields: { port: 5432 } });
    expect(error.hint).toBe(errorSpec("PORT_TAKEN").hint);
    expect(error.spec).toBe(errorSpec("PORT_TAKEN"));
    expect(new HowdahError("PORT_TAKEN", "x", { hint: "Try 5433." }).hint).toBe("Try 5433.");
    expect(new HowdahError("PORT_TAKEN", "x")).not.toHaveProperty("cause");
  });

  test("is told from other errors, and codes from other words", () => {
    const error = new HowdahError("USAGE", "x");
    expect(isHowdahError(error)).toBe(true);
    expect(isHowdahError(error, "USAGE")).toBe(true);
    expect(isHowdahError(error, "INTERNAL")).toBe(false);
    expect(isHowdahError(new Error("x"))).toBe(false);
    expect(["USAGE", "toString", "usage", "__proto__", ""].map(isErrorCode)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test("the errno of a system error", () => {
    expect(errnoOf(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe("ENOENT");
    for (const other of [new Error("x"), Object.assign(new Error("x"), { code: 2 }), { code: "ENOENT" }, null]) {
      expect(errnoOf(other)).toBeUndefined();
    }
  });
});
