import { HowdahError } from "../../kernel/errors.js";

/** A quoted identifier, whatever it holds: `we"ird` → `"we""ird"`. Throws INVALID_INPUT for NUL, which PostgreSQL cannot hold. */
export function ident(name: string): string {
  return `"${withoutNul(name).replaceAll('"', '""')}"`;
}

/** A string literal that means the same whether `standard_conforming_strings` is on or off. Throws INVALID_INPUT for NUL. */
export function literal(text: string): string {
  const quoted = withoutNul(text).replaceAll("'", "''");
  return quoted.includes("\\") ? ` E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}

function withoutNul(text: string): string {
  if (!text.includes("\0")) return text;
  throw new HowdahError("INVALID_INPUT", "text for PostgreSQL cannot hold a NUL character");
}
