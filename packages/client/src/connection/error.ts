/**
 * The one error of this folder. Its message tells the form and the place, and never repeats a piece of the input:
 * where a separator is not escaped, any piece of it may belong to a password.
 */
const FORM_LABELS = {
  connection: "connection",
  uri: "connection URI",
  "keyword-value": "libpq connection string",
  "pg-variables": "PG* variables",
  "postgres-variables": "POSTGRES_* variables",
  jdbc: "JDBC URL",
  npgsql: "Npgsql connection string",
  "airflow-uri": "Airflow connection URI",
  "airflow-json": "Airflow connection JSON",
} as const;

/** Every notation that a connection is written in; `connection` is the value itself. */
export type FormName = keyof typeof FORM_LABELS;

export interface ErrorPlace {
  /** Offset in the input in UTF-16 units, from 0. */
  readonly position?: number;
  /** The field, keyword or variable at fault; only names that we know ourselves. */
  readonly part?: string;
}

/** Text that is no connection in the given form, or a connection that the form cannot carry. */
export class ConnectionFormatError extends Error {
  override readonly name = "ConnectionFormatError";
  readonly position: number | null;
  readonly part: string | null;

  constructor(
    readonly form: FormName,
    reason: string,
    place: ErrorPlace = {},
  ) {
    const where = place.position === undefined ? "" : ` (at character ${place.position + 1})`;
    super(`${FORM_LABELS[form]}: ${reason}${where}`);
    this.position = place.position ?? null;
    this.part = place.part ?? null;
  }
}
