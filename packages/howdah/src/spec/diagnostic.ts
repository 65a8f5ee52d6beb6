import type { Place } from "../kernel/errors.js";

/** One thing a door has to say about a file. Errors keep anything from being changed; the others are printed. */
export interface Diagnostic {
  readonly severity: "error" | "warning" | "notice";
  /** A stable word for scripts and tests, kebab-case: `unknown-key`, `not-enforced`. */
  readonly code: string;
  /** A lower-case fact with quoted values, no full stop. */
  readonly message: string;
  /** One sentence telling the next move, where there is one. */
  readonly hint?: string;
  /** Absent only where there is no file yet. */
  readonly place?: Place;
}

/** `compose.yaml:12:5: message` */
export function formatPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}
