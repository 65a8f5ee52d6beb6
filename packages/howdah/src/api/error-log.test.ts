import { expect, test } from "vitest";
import { HowdahError } from "../kernel/errors.js";
import { describeError } from "./error-log.js";

test("name, message, code, stack and causes, but nothing that hangs on the error", () => {
  const cause = Object.assign(new TypeError("inner"), { query: "select 1", parameters: ["x"] });
  const error = new HowdahError("SQL_FAILED", "outer", { cause, fields: { sql: "y" } });
  const told = describeError(error);
  expect(told).toEqual({
    name: "HowdahError",
    message: "outer",
    code: "SQL_FAILED",
    stack: expect.stringContaining("error-log.test.ts"),
    cause: { name: "TypeError", message: "inner", stack: expect.any(String) },
  });
});

test.each([
  "connect postgres://u:hunter2@h/db",
  "Authorization: Bearer hunter2",
  "password=hunter2 host=x",
  "alter role x password 'hunter2'",
  '{"password":"hunter2"}',
  "token: hunter2",
])("%s is censored", (message) => {
  expect(JSON.stringify(describeError(new Error(message)))).not.toContain("hunter2");
});

test("what is no Error, and chains without end", () => {
  expect(describeError("thrown text")).toEqual({ name: "string", message: "thrown text" });
  expect(describeError(undefined)).toEqual({ name: "undefined", message: "undefined" });
  const error = new Error("round");
  error.cause = error;
  expect(JSON.stringify(describeError(error)).match(/"message":"round"/g)?.length).toBeLessThan(10);
});
