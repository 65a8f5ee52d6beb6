/** How to reach a PostgreSQL: one value, and every notation that people and programs write it in. */

export {
  airflowVariable,
  fromAirflow,
  fromAirflowVariables,
  toAirflowJson,
  toAirflowUri,
  toAirflowVariables,
} from "./airflow.js";
export {
  type Connection,
  type ConnectionInit,
  connection,
  type Endpoint,
  endpoints,
  redact,
} from "./connection.js";
export { ConnectionFormatError, type FormName } from "./error.js";
export { losses } from "./forms.js";
export { fromJdbc, type JdbcOptions, toJdbc } from "./jdbc.js";
export { fromKeywordValue, toKeywordValue } from "./keyword-value.js";
export type { EncodeOptions, Loss } from "./losses.js";
export {
  connectionStringVariable,
  fromConnectionStrings,
  fromNpgsql,
  toConnectionStrings,
  toNpgsql,
} from "./npgsql.js";
export { percentEncodeUserinfo } from "./percent.js";
export { fromPgVariables, toPgVariables } from "./pg-variables.js";
export {
  fromPostgresVariables,
  POSTGRES_VARIABLES,
  type PostgresVariable,
  toPostgresVariables,
} from "./postgres-variables.js";
export { fromUri, toRedactedUri, toUri } from "./uri.js";
