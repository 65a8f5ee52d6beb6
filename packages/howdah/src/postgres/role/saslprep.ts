import { LEFT_TO_RIGHT, PROHIBITED, RIGHT_TO_LEFT, UNASSIGNED } from "./stringprep-tables.js";

/** C.1.2 but U+200B, which is in both tables and which PostgreSQL makes a space before it looks at the other. */
const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
/** B.1: commonly mapped to nothing. */
const NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200c\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;

/**
 * Prepares a password as PostgreSQL's server and libpq do (SASLprep, RFC 4013), so that two ways of typing the same
 * character are the same password. Where SASLprep would refuse a password (characters that Unicode 3.2 did not know,
 * such as most emoji, control characters, mixed directions), PostgreSQL takes it as it is; so does this.
 */
export function saslprep(password: string): string {
  // ASCII is left alone by every step, and control characters among it are let pass raw, which is the same.
  if (/^[\x20-\x7e]*$/.test(password)) return password;
  const mapped = password.replace(OTHER_SPACES, " ").replace(NOTHING, "");
  // PostgreSQL looks for what is prohibited before it normalises, where the RFC says after.
  return isAllowed(mapped) ? mapped.normalize("NFKC") : password;
}

function isAllowed(text: string): boolean {
  const points = Array.from(text, (c) => c.codePointAt(0) ?? 0);
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return false;
  if (points.some((p) => PROHIBITED.has(p) || UNASSIGNED.has(p) || isSurrogate(p))) return false;
  if (!points.some((p) => RIGHT_TO_LEFT.has(p))) return true;
  // RFC 3454, section 6: then nothing that runs the other way, and such a character at both ends.
  return !points.some((p) => LEFT_TO_RIGHT.has(p)) && RIGHT_TO_LEFT.has(first) && RIGHT_TO_LEFT.has(last);
}

function isSurrogate(point: number): boolean {
  return point >= 0xd800 && point <= 0xdfff;
}
