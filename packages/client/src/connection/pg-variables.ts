/**
 * libpq's environment variables (https://www.postgresql.org/docs/current/libpq-envars.html): PGHOST, PGPORT, PGUSER,
 * PGPASSWORD, PGDATABASE and one for most parameters. A few parameters have none (keepalives*, sslpassword, …).
 */
import type { Connection } from "./connection.js";
import type { FormName } from "./error.js";
import { isLibpqParameter, LIBPQ_PARAMETERS, variableOf } from "./keywords.js";
import { LibpqSettings, libpqPairs } from "./libpq.js";
import { type EncodeOptions, type Loss, parameterLosses, refuseLosses } from "./losses.js";

const FORM: FormName = "pg-variables";
const ESSENTIAL_VARIABLES: Readonly<Record<string, string>> = {
  host: "PGHOST",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  dbname: "PGDATABASE",
};

/** The parameters that libpq has no variable for. */
export function pgVariablesLosses(c: Connection): Loss[] {
  return parameterLosses(c, (parameter) => variableOf(parameter) !== null);
}

/** The variables of everything that is known, by name. Throws ConnectionFormatError on losses (see there). */
export function toPgVariables(c: Connection, options: EncodeOptions = {}): Record<string, string> {
  refuseLosses(FORM, pgVariablesLosses(c), options);
  const variables: Record<string, string> = {};
  for (const [keyword, value] of libpqPairs(c)) {
    const variable = isLibpqParameter(keyword) ? variableOf(keyword) : ESSENTIAL_VARIABLES[keyword];
    if (variable) variables[variable] = value;
  }
  return variables;
}

/** Reads the variables that libpq reads; others (PGDATA, PGTZ, …) are no part of a connection and ignored. Nothing is
 *  looked up in a service file or a password file. Throws ConnectionFormatError. */
export function fromPgVariables(variables: Readonly<Record<string, string | undefined>>): Connection {
  const settings = new LibpqSettings(FORM);
  const read = (keyword: string, variable: string | null | undefined) => {
    const value = variable ? variables[variable] : undefined;
    if (value !== undefined) settings.set(keyword, value);
  };
  for (const [keyword, variable] of Object.entries(ESSENTIAL_VARIABLES)) read(keyword, variable);
  for (const parameter of LIBPQ_PARAMETERS) read(parameter, variableOf(parameter));
  return settings.connection();
}
