/** Every form by its name, for callers that choose one at run time. */
import { airflowLosses } from "./airflow.js";
import type { Connection } from "./connection.js";
import type { FormName } from "./error.js";
import { jdbcLosses } from "./jdbc.js";
import { keywordValueLosses } from "./keyword-value.js";
import type { Loss } from "./losses.js";
import { npgsqlLosses } from "./npgsql.js";
import { pgVariablesLosses } from "./pg-variables.js";
import { postgresVariablesLosses } from "./postgres-variables.js";
import { uriLosses } from "./uri.js";

const LOSSES: Readonly<Record<Exclude<FormName, "connection">, (c: Connection) => Loss[]>> = {
  uri: uriLosses,
  "keyword-value": keywordValueLosses,
  "pg-variables": pgVariablesLosses,
  "postgres-variables": postgresVariablesLosses,
  jdbc: jdbcLosses,
  npgsql: npgsqlLosses,
  "airflow-uri": airflowLosses,
  "airflow-json": airflowLosses,
};

/** What a form cannot carry of this connection; empty when reading the form back yields an equal connection. */
export function losses(form: Exclude<FormName, "connection">, c: Connection): Loss[] {
  return LOSSES[form](c);
}
