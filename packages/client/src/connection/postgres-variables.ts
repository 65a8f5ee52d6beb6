/**
 * The POSTGRES_* set that a linked application gets: the URI, and the same in parts, with the three names that
 * applications use for the database.
 */
import type { Connection } from "./connection.js";
import { ConnectionFormatError, type FormName } from "./error.js";
import { formatHostList, LibpqSettings, libpqPairs } from "./libpq.js";
import { type Loss, parameterLosses } from "./losses.js";
import { fromUri, toUri } from "./uri.js";

const FORM: FormName = "postgres-variables";
const DATABASE_VARIABLES = ["POSTGRES_DB", "POSTGRES_DATABASE", "POSTGRES_NAME"] as const;

export const POSTGRES_VARIABLES = [
  "POSTGRES_URL",
  "POSTGRES_HOST",
  "POSTGRES_PORT",
  ...DATABASE_VARIABLES,
  "POSTGRES_USER",
  "POSTGRES_PASSWORD",
] as const;
export type PostgresVariable = (typeof POSTGRES_VARIABLES)[number];
type Variables = Readonly<Record<string, string | undefined>>;

/** Everything but the drivers' own parameters: what the parts have no variable for is in POSTGRES_URL. */
export function postgresVariablesLosses(c: Connection): Loss[] {
  return parameterLosses(c, () => true);
}

/** The variables of the parts that are known, and POSTGRES_URL, which also carries the parameters. Several hosts stand
 *  in POSTGRES_HOST and POSTGRES_PORT as lists, as libpq writes them. */
export function toPostgresVariables(c: Connection): Partial<Record<PostgresVariable, string>> {
  const { host, port } = formatHostList(c);
  const values: Record<PostgresVariable, string | null> = {
    POSTGRES_URL: toUri(c),
    POSTGRES_HOST: host,
    POSTGRES_PORT: port,
    POSTGRES_DB: c.database,
    POSTGRES_DATABASE: c.database,
    POSTGRES_NAME: c.database,
    POSTGRES_USER: c.username,
    POSTGRES_PASSWORD: c.password,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/**
 * Reads POSTGRES_URL, or the parts, or both: parts then fill in what the URL does not say. Other variables are ignored,
 * empty ones count as unset. Throws ConnectionFormatError when two variables contradict each other, because either
 * choice would sometimes lead to the wrong database.
 */
export function fromPostgresVariables(variables: Variables): Connection {
  const url = variables["POSTGRES_URL"];
  const whole = url ? libpqPairs(fromUri(url)) : [];
  const parts = readParts(variables);
  const preferringUrl = merge(parts, whole);
  const preferringParts = merge(whole, parts);
  for (const [part, variable] of [
    ["host", "POSTGRES_HOST"],
    ["port", "POSTGRES_PORT"],
    ["fallbacks", "POSTGRES_HOST"],
    ["username", "POSTGRES_USER"],
    ["password", "POSTGRES_PASSWORD"],
    ["database", "POSTGRES_DB"],
  ] as const)
    if (JSON.stringify(preferringUrl[part]) !== JSON.stringify(preferringParts[part]))
      throw contradiction(variable, "POSTGRES_URL");
  return preferringUrl;
}

function readParts(variables: Variables): [string, string][] {
  const databases = new Set(DATABASE_VARIABLES.map((name) => variables[name]).filter(Boolean));
  if (databases.size > 1) throw contradiction("POSTGRES_DATABASE", "POSTGRES_DB");
  const pairs: [string, string | undefined][] = [
    ["host", variables["POSTGRES_HOST"]],
    ["port", variables["POSTGRES_PORT"]],
    ["user", variables["POSTGRES_USER"]],
    ["password", variables["POSTGRES_PASSWORD"]],
    ["dbname", [...databases][0]],
  ];
  return pairs.flatMap(([keyword, value]) => (value ? [[keyword, value]] : []));
}

function merge(weaker: [string, string][], stronger: [string, string][]): Connection {
  const settings = new LibpqSettings(FORM);
  for (const [keyword, value] of [...weaker, ...stronger]) settings.set(keyword, value);
  return settings.connection();
}

function contradiction(variable: PostgresVariable, other: PostgresVariable): ConnectionFormatError {
  return new ConnectionFormatError(FORM, `'${variable}' and '${other}' contradict each other`, { part: variable });
}
