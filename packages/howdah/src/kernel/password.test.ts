import { expect, test } from "vitest";
import { generatePassword } from "./password.js";

test("passwords are letters and digits, of the length asked for, and never twice the same", () => {
  const passwords = Array.from({ length: 200 }, () => generatePassword());
  for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9]{28}$/);
  expect(new Set(passwords).size).toBe(200);
  expect(new Set(passwords.join("")).size, "every letter and digit occurs").toBe(62);
  expect(generatePassword(5)).toHaveLength(5);
});
