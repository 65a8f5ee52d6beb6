import { HowdahError } from "../../kernel/errors.js";
import { SettingName, type Settings } from "../../spec/index.js";

/**
 * The text of postgresql.conf. A wrongly quoted value would not only be wrong: a line break in it would add lines of
 * its own, so what cannot be written exactly is refused.
 */

/** One `name = 'value'` a line, in the order given. Throws SETTING_INVALID for a name or value that a file cannot hold. */
export function renderConf(settings: Readonly<Settings>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${checkedName(name)} = ${quoteValue(name, value)}\n`)
    .join("");
}

function checkedName(name: string): string {
  // `include` is a directive of the file, not a setting.
  if (SettingName.safeParse(name).success && !/^include(_if_exists|_dir)?$/i.test(name)) return name;
  throw new HowdahError("SETTING_INVALID", `'${name}' is not the name of a setting`);
}

const ESCAPES: Readonly<Record<string, string>> = { "'": "''", "\\": "\\\\", "\n": "\\n", "\r": "\\r" };

function quoteValue(name: string, value: string): string {
  if (value.includes("\0")) {
    throw new HowdahError("SETTING_INVALID", `the value of '${name}' holds a NUL character`);
  }
  return `'${value.replace(/['\\\n\r]/g, (c) => ESCAPES[c] ?? c)}'`;
}

/** A service's superuser writes these files and we read them in the process that serves everybody: no two parts that
 *  match the same blanks may stand beside each other, or one line of them keeps it busy for minutes. */
const LINE = /^\s*([A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)*)(?:\s*=\s*|\s+)('(?:[^'\\]|\\.|'')*'|[^\s#'=]+)\s*(?:#.*)?$/;

/** Parses postgresql.conf or postgresql.auto.conf by the rules of guc-file.l: names in lower case, the last of a name
 *  wins. Lines that PostgreSQL would refuse, and includes, are left out. */
export function parseConf(text: string): Settings {
  const settings: Settings = {};
  for (const line of text.split("\n")) {
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (/^include(_if_exists|_dir)?$/i.test(name)) continue;
    const key = name.toLowerCase();
    // Deleted first, so that the order is that of the lines which count.
    delete settings[key];
    settings[key] = value.startsWith("'") ? unquote(value.slice(1, -1)) : value;
  }
  return settings;
}

const CONTROLS: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function unquote(text: string): string {
  return text.replace(/''|\\([0-7]{1,3}|[\s\S])/g, (_, escaped: string | undefined) => {
    if (escaped === undefined) return "'";
    if (/^[0-7]/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8) & 0xff);
    return CONTROLS[escaped] ?? escaped;
  });
}
