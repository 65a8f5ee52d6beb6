import { assertNever } from "../../kernel/assert-never.js";
import type { SettingInfo } from "../distribution/index.js";
import { UNITS } from "./setting-facts.js";

/** Whether PostgreSQL would take a value: null, or what is wrong with it, to be put behind the value in quotes. */
export function checkValue(name: string, value: string, description: SettingInfo): string | null {
  switch (description.type) {
    case "bool":
      return isBool(value) ? null : "is not a boolean: write on or off";
    case "enum":
      return checkEnum(value, description.enumValues);
    case "integer":
    case "real":
      return checkNumber(name, value, description);
    case "string":
      return null;
    default:
      return assertNever(description.type);
  }
}

/** parse_bool(): any unambiguous beginning of the words, in any case. */
function isBool(value: string): boolean {
  const word = value.toLowerCase();
  if (word === "1" || word === "0") return true;
  if (word === "" || word === "o") return false;
  return ["true", "false", "yes", "no", "on", "off"].some((full) => full.startsWith(word));
}

function checkEnum(value: string, values: readonly string[] | null): string | null {
  if (values === null) return null;
  const word = value.toLowerCase();
  // Hidden synonyms that old configuration files use.
  if (values.includes("on") && ["true", "false", "yes", "no", "1", "0"].includes(word)) return null;
  if (values.includes("debug1") && word === "debug") return null;
  return values.some((v) => v.toLowerCase() === word) ? null : `is not one of ${values.join(", ")}`;
}

const MEMORY: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["kB", 1024],
  ["8kB", 8192],
  ["MB", 1024 ** 2],
  ["GB", 1024 ** 3],
  ["TB", 1024 ** 4],
]);
const TIME: ReadonlyMap<string, number> = new Map([
  ["us", 0.001],
  ["ms", 1],
  ["s", 1_000],
  ["min", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
const NUMBER = /^\s*([+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))\s*([A-Za-z]*)\s*$/;

function checkNumber(name: string, value: string, { type, min, max }: SettingInfo): string | null {
  const match = NUMBER.exec(value);
  if (match === null) return type === "integer" ? "is not a whole number" : "is not a number";
  const number = parseNumber(match[1] ?? "");
  const unit = match[2] ?? "";
  const base = UNITS.get(name);
  const scaled = toBase(number, unit, base);
  if (scaled === null) return `has the unit '${unit}', ${unitsAllowed(base)}`;
  const rounded = type === "integer" ? Math.round(scaled) : scaled;
  if ((min !== null && rounded < min) || (max !== null && rounded > max)) {
    return `is outside the range from ${min} to ${max}${base === undefined ? "" : ` (in ${base})`}`;
  }
  return null;
}

/** As strtol(…, 0) and strtod() read it: 0x is hexadecimal, a leading 0 octal. */
function parseNumber(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[+-]/, "");
  return sign * (/^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits));
}

/** null: a unit that the setting does not take. */
function toBase(number: number, unit: string, base: string | undefined): number | null {
  if (unit === "") return number;
  if (base === undefined) return null;
  const table = MEMORY.has(base) ? MEMORY : TIME;
  const from = unit === "8kB" ? undefined : table.get(unit);
  const to = table.get(base);
  return from === undefined || to === undefined ? null : (number * from) / to;
}

function unitsAllowed(base: string | undefined): string {
  if (base === undefined) return "but takes none";
  return MEMORY.has(base) ? "which is none of B, kB, MB, GB, TB" : "which is none of us, ms, s, min, h, d";
}
