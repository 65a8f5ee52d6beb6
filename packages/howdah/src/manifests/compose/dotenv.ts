/**
 * The syntax of `.env` and `env_file`, as Docker Compose reads it: comments, `export`, `KEY=value` and `KEY: value`,
 * single quotes (literal), double quotes (escapes and interpolation), both over several lines, and a key alone
 * (inherited). Values stay segments here: who may fill in a variable differs between `.env` and `env_file`.
 */
import type { Place } from "../../kernel/errors.js";
import { lexInterpolation, type Segment } from "./interpolation.js";
import type { Report } from "./report.js";
import type { TextFile } from "./types.js";

export interface DotenvEntry {
  readonly key: string;
  readonly place: Place;
  /** null: a key alone, whose value comes from elsewhere. */
  readonly value: readonly Segment[] | null;
}

export interface DotenvOptions {
  /** Compose's `format: raw`: no quotes, no interpolation. */
  readonly raw?: boolean;
}

const KEY = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  '"': '"',
  "\\": "\\",
};

/** Never throws; lines that cannot be read are errors in the report. A key that stands twice has its last value. */
export function parseDotenv({ file, text }: TextFile, report: Report, options: DotenvOptions = {}): DotenvEntry[] {
  const source = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const found = new Map<string, DotenvEntry>();
  let at = 0;
  let line = 1;
  while (at < source.length) {
    const end = endOfLine(source, at);
    const row = source.slice(at, end);
    const statement = /^\s*(?:export\s+)?([^=:#\s]*)(\s*)([=:]?)([^\S\n]*)/.exec(row);
    const lead = row.length - row.trimStart().length;
    const place: Place = { file, line, column: lead + 1 };
    const key = statement?.[1] ?? "";
    const separator = statement?.[3] ?? "";
    const rest = row.slice(statement?.[0].length ?? 0);
    if (row.trim() === "" || row.trimStart().startsWith("#")) {
      // A blank line or a comment.
    } else if (!KEY.test(key) || (separator === "" && rest !== "" && !rest.startsWith("#"))) {
      // The line itself is not quoted: it may hold a secret.
      report.error("dotenv-syntax", "not a line of the form KEY=value", place);
    } else if (separator === "") {
      found.delete(key);
      found.set(key, { key, place, value: null });
    } else {
      const start = at + (statement?.[0].length ?? 0);
      const read = options.raw === true ? rawValue(source, start) : readValue(source, start);
      found.delete(key);
      if (!read.ok) {
        report.error("dotenv-syntax", `the value of '${key}': ${read.problem}`, place);
      } else {
        found.set(key, { key, place, value: read.segments });
      }
      line += countLines(source, at, read.end);
      at = read.end;
      line += 1;
      at = endOfLine(source, at) + 1;
      continue;
    }
    at = end + 1;
    line += 1;
  }
  return [...found.values()];
}

type Value =
  | { readonly ok: true; readonly segments: readonly Segment[]; readonly end: number }
  | { readonly ok: false; readonly problem: string; readonly end: number };

function rawValue(source: string, start: number): Value {
  const end = endOfLine(source, start);
  return { ok: true, segments: textSegment(source.slice(start, end)), end };
}

function readValue(source: string, start: number): Value {
  const quote = source[start];
  if (quote !== "'" && quote !== '"') {
    const end = endOfLine(source, start);
    const value = source
      .slice(start, end)
      .replace(/(^|\s)#.*$/, "")
      .trim();
    return lexed(value, end);
  }
  let text = "";
  for (let at = start + 1; at < source.length; at++) {
    const character = source[at] ?? "";
    const next = source[at + 1];
    if (character === quote) {
      const end = at + 1;
      const rest = source.slice(end, endOfLine(source, end)).trim();
      if (rest !== "" && !rest.startsWith("#"))
        return { ok: false, problem: "text stands behind the closing quote", end };
      return quote === "'" ? { ok: true, segments: textSegment(text), end } : lexed(text, end);
    }
    if (character === "\\" && next !== undefined) {
      const meaning = quote === "'" ? (next === "'" ? "'" : undefined) : next === "$" ? "$$" : ESCAPES[next];
      if (meaning !== undefined) {
        text += meaning;
        at++;
        continue;
      }
    }
    text += character;
  }
  return { ok: false, problem: "the opening quote is not closed", end: endOfLine(source, start) };
}

function lexed(text: string, end: number): Value {
  const result = lexInterpolation(text);
  return result.ok ? { ok: true, segments: result.segments, end } : { ok: false, problem: result.problem, end };
}

function textSegment(text: string): Segment[] {
  return text === "" ? [] : [{ kind: "text", text }];
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf("\n", from);
  return end === -1 ? source.length : end;
}

function countLines(source: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (source[at] === "\n") count++;
  return count;
}
