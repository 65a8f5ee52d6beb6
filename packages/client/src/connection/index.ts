/** How to reach a PostgreSQL: one value, and every notation that people and programs write it in. */
export {
  type Connection,
  type ConnectionInit,
  connection,
  DRIVERS,
  type Driver,
  type Endpoint,
  endpoints,
  redact,
} from "./connection.js";
export { ConnectionFormatError, type FormName } from "./error.js";
export { fromJdbc, type JdbcOptions, toJdbc } from "./jdbc.js";
export { fromKeywordValue, toKeywordValue } from "./keyword-value.js";
export type { EncodeOptions, Loss } from "./losses.js";
export { percentEncodeUserinfo } from "./percent.js";
export { fromPgVariables, toPgVariables } from "./pg-variables.js";
export {
  fromPostgresVariables,
  POSTGRES_VARIABLES,
  type PostgresVariable,
  toPostgresVariables,
} from "./postgres-variables.js";
export { fromUri, toRedactedUri, toUri } from "./uri.js";
