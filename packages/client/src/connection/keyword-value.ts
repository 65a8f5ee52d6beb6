/**
 * libpq's keyword/value string (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE):
 *
 *     host=localhost port=5432 user='a b' password='it\'s'
 *
 * Spaces around `=` are allowed; in a value a backslash makes the next character literal, in quotes or not.
 */
import type { Connection } from "./connection.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { C_SPACE, LibpqSettings, libpqPairs } from "./libpq.js";
import { type Loss, parameterLosses } from "./losses.js";

const FORM: FormName = "keyword-value";

/** Everything but the drivers' own parameters. */
export function keywordValueLosses(c: Connection): Loss[] {
  return parameterLosses(c, () => true);
}

/** `host=… port=…`; never refuses: only other drivers' own parameters are left out. */
export function toKeywordValue(c: Connection): string {
  return libpqPairs(c)
    .map(([keyword, value]) => `${keyword}=${quote(value)}`)
    .join(" ");
}

function quote(value: string): string {
  if (/^[^ \t\n\v\f\r'\\]+$/.test(value)) return value;
  return `'${value.replace(/['\\]/g, "\\$&")}'`;
}

/** Reads a keyword/value string by libpq's rules; a repeated keyword's last value counts. Throws ConnectionFormatError. */
export function fromKeywordValue(text: string): Connection {
  const settings = new LibpqSettings(FORM);
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const start = at;
    while (at < text.length && text[at] !== "=" && !C_SPACE.test(text.charAt(at))) at += 1;
    const keyword = text.slice(start, at);
    at = skipSpace(text, at);
    if (text[at] !== "=")
      throw new ConnectionFormatError(FORM, "a keyword is not followed by '='; quote values that contain spaces", {
        position: start,
      });
    const { value, end } = readValue(text, skipSpace(text, at + 1));
    settings.set(keyword, value, start);
    at = skipSpace(text, end);
  }
  return settings.connection();
}

function readValue(text: string, start: number): { value: string; end: number } {
  const quoted = text[start] === "'";
  let value = "";
  let at = quoted ? start + 1 : start;
  for (; at < text.length; at += 1) {
    if (text[at] === "\\") {
      // A backslash at the very end stands for nothing, as in libpq.
      at += 1;
      value += text.charAt(at);
    } else if (quoted ? text[at] === "'" : C_SPACE.test(text.charAt(at))) {
      return { value, end: at + 1 };
    } else value += text.charAt(at);
  }
  if (quoted) throw new ConnectionFormatError(FORM, "a quoted value is not closed", { position: start });
  return { value, end: at };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && C_SPACE.test(text.charAt(at))) at += 1;
  return at;
}
