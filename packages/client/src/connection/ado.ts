/**
 * ADO.NET's connection string syntax, as .NET's DbConnectionStringBuilder reads and writes it:
 *
 *     Key=value; Other Key="a;b"; Third='say "hi"'
 *
 * White space around keys and values does not count. A value in quotes ends at the same quote, which is doubled inside.
 * An unquoted value may not begin or end with a quote. A key's `=` is doubled.
 */
import { ConnectionFormatError, type FormName } from "./error.js";

const SPACE = /[\t-\r \x85\p{Z}]/u;
const CONTROL = /\p{Cc}/u;

export interface AdoPair {
  readonly key: string;
  readonly value: string;
  readonly position: number;
}

/** One `Key=value`. Quotes whenever .NET would. The key is one of ours: without `=`. */
export function writeAdoPair(key: string, value: string): string {
  if (!/["'=;\s\p{Z}\p{Cc}\p{Cf}]/u.test(value)) return `${key}=${value}`;
  if (value.includes('"') && !value.includes("'")) return `${key}='${value}'`;
  return `${key}="${value.replaceAll('"', '""')}"`;
}

/** The pairs of a connection string in their order. Throws ConnectionFormatError. */
export function readAdo(text: string, form: FormName): AdoPair[] {
  const pairs: AdoPair[] = [];
  for (let at = skip(text, 0, true); at < text.length; at = skip(text, at, true)) {
    const position = at;
    let key = "";
    for (; ; at += 1) {
      if (at >= text.length) throw new ConnectionFormatError(form, "a keyword is not followed by '='", { position });
      const c = text.charAt(at);
      if (c === "=") {
        if (text[at + 1] !== "=") break;
        at += 1;
      } else if (CONTROL.test(c) && !SPACE.test(c))
        throw new ConnectionFormatError(form, "a control character must be in quotes", { position: at });
      key += c;
    }
    if (trim(key) === "") throw new ConnectionFormatError(form, "a keyword is missing in front of '='", { position });
    const { value, end } = readValue(text, skip(text, at + 1, false), form);
    pairs.push({ key: trim(key), value, position });
    at = end;
  }
  return pairs;
}

function readValue(text: string, start: number, form: FormName): { value: string; end: number } {
  const quote = text.charAt(start);
  if (quote === "'" || quote === '"') {
    let value = "";
    for (let at = start + 1; at < text.length; at += 1) {
      const c = text.charAt(at);
      if (c !== quote) value += c;
      else if (text[at + 1] === quote) {
        value += c;
        at += 1;
      } else {
        const end = skip(text, at + 1, false);
        if (end < text.length && text[end] !== ";")
          throw new ConnectionFormatError(form, "after a quoted value only ';' may follow", { position: end });
        return { value, end: end + 1 };
      }
    }
    throw new ConnectionFormatError(form, "a quoted value is not closed", { position: start });
  }
  let end = start;
  for (; end < text.length && text[end] !== ";"; end += 1)
    if (CONTROL.test(text.charAt(end)) && !SPACE.test(text.charAt(end)))
      throw new ConnectionFormatError(form, "a control character must be in quotes", { position: end });
  const value = trim(text.slice(start, end));
  if (/["']$/.test(value))
    throw new ConnectionFormatError(form, "an unquoted value may not end with a quote", { position: end - 1 });
  return { value, end: end + 1 };
}

function skip(text: string, from: number, semicolons: boolean): number {
  let at = from;
  while (at < text.length && (SPACE.test(text.charAt(at)) || (semicolons && text[at] === ";"))) at += 1;
  return at;
}

function trim(text: string): string {
  let [start, end] = [skip(text, 0, false), text.length];
  while (end > start && SPACE.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
