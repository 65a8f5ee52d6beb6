import { expect, it } from "vitest";
import { configPiece, textPiece, toExpression } from "./pieces.js";
import { isSecretKey, lintSecrets } from "./secret-lint.js";
import { show } from "./testing/parse.js";

it.each([
  "POSTGRES_PASSWORD",
  "PGPASSWORD",
  "DB_PASS",
  "API_KEY",
  "APIKEY",
  "SECRET",
  "dbPassword",
  "JWT_SECRET",
  "SECRET_KEY_BASE",
  "GITHUB_TOKEN",
])("%s is a secret's name", (key) => expect(isSecretKey(key)).toBe(true));

it.each([
  "PASSWORD_FILE",
  "PASSWORD_MIN_LENGTH",
  "KEY",
  "PRIMARY_KEY",
  "COMPASS",
  "TOKENIZER",
  "POSTGRES_USER",
  "BYPASS",
])("%s is none", (key) => expect(isSecretKey(key)).toBe(false));

it.each([
  ["URL", "postgres://u:pw@h:5432/d", "postgres://u:•pw@h:5432/d"],
  ["URL", "postgres://u@h/d", "postgres://u@h/d"],
  ["DSN", "host=h password=pw user=u", "host=h password=•pw user=u"],
  ["DSN", "Host=h;Password=pw", "Host=h;Password=•pw"],
  ["ANYTHING", "ghp_0123456789abcdefghijklmnopqrstuvwxyz", "•ghp_0123456789abcdefghijklmnopqrstuvwxyz"],
  ["API_KEY", "", ""],
])("conceals in %s what is secret of '%s'", (key, text, shown) => {
  const { pieces, found } = lintSecrets(key, [textPiece(text)]);
  expect(show(toExpression(pieces))).toBe(shown);
  expect(found).toBe(shown.includes("•"));
});

it("finds nothing in a value that comes from config or .env, only in a default", () => {
  expect(lintSecrets("PASSWORD", [configPiece("X")]).found).toBe(false);
  expect(lintSecrets("PASSWORD", [configPiece("X", [textPiece("s", "dotenv")])]).found).toBe(false);
  expect(lintSecrets("PASSWORD", [configPiece("X", [textPiece("s", "default")])]).found).toBe(true);
  expect(lintSecrets("OTHER", [configPiece("DB_PASSWORD", [textPiece("s", "default")])]).found).toBe(true);
});
