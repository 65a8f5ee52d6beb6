import { HowdahError } from "./errors.js";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/gy;

/** Parses `10s`, `1h30m`, `250ms` or a bare number of seconds into milliseconds. Throws INVALID_INPUT. */
export function parseDuration(text: string): number {
  const trimmed = text.trim().toLowerCase();
  PART.lastIndex = 0;
  let total = 0;
  let end = 0;
  if (/^\d+(\.\d+)?$/.test(trimmed)) {
    total = Number(trimmed) * 1_000;
    end = trimmed.length;
  }
  for (let match = PART.exec(trimmed); match; match = PART.exec(trimmed)) {
    total += Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? Number.NaN);
    end = PART.lastIndex;
  }
  if (end === 0 || end !== trimmed.length || total > Number.MAX_SAFE_INTEGER) {
    throw new HowdahError("INVALID_INPUT", `'${text}' is not a duration`, {
      hint: "Write numbers with units, such as 10s, 5m or 1h30m.",
    });
  }
  return Math.round(total);
}

/** The inverse of `parseDuration`: 5_400_000 → `1h30m`. Rounds to milliseconds. */
export function formatDuration(ms: number): string {
  let rest = Math.round(Math.abs(ms));
  if (rest === 0) return "0s";
  let text = ms < 0 ? "-" : "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const size = UNIT_MS[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
