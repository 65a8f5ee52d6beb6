import { HowdahError } from "./errors.js";

/** Every unit is a power of 1024, as in Docker, lttle and PostgreSQL: `512M`, `512MB`, `512Mi` and `512MiB` are the same. */
const UNITS: Readonly<Record<string, number>> = { "": 0, k: 1, m: 2, g: 3, t: 4, p: 5 };
const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])i?b?|b)?$/i;

/** Parses a size into bytes (an integer). Throws INVALID_INPUT. */
export function parseSize(text: string): number {
  const match = SIZE.exec(text.trim());
  const power = UNITS[(match?.[2] ?? "").toLowerCase()];
  const bytes = Math.round(Number(match?.[1]) * 1024 ** (power ?? 0));
  if (!match || power === undefined || !Number.isSafeInteger(bytes)) {
    throw new HowdahError("INVALID_INPUT", `'${text}' is not a size`, {
      hint: "Write a number and a unit, such as 512M or 2Gi.",
    });
  }
  return bytes;
}

/** The shortest exact form with a binary unit: 536870912 → `512Mi`; 1000 → `1000`. */
export function formatSize(bytes: number): string {
  const units = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value}${units[unit]}`;
}

/** For people: three significant digits at most, `1.5 GiB`. */
export function humanSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (Number(value.toPrecision(3)) >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}
