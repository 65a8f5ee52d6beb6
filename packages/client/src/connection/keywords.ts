/**
 * The parameters that libpq knows besides host, port, user, password and dbname (PostgreSQL 18, with a few retired
 * ones), each with its environment variable. Parsers refuse any other, as libpq does: a misspelt `sslmode` that is
 * passed over silently would mean a connection in clear.
 */
const PARAMETER_VARIABLES = {
  application_name: "PGAPPNAME",
  channel_binding: "PGCHANNELBINDING",
  client_encoding: "PGCLIENTENCODING",
  connect_timeout: "PGCONNECT_TIMEOUT",
  fallback_application_name: null,
  gssdelegation: "PGGSSDELEGATION",
  gssencmode: "PGGSSENCMODE",
  gsslib: "PGGSSLIB",
  hostaddr: "PGHOSTADDR",
  keepalives: null,
  keepalives_count: null,
  keepalives_idle: null,
  keepalives_interval: null,
  krbsrvname: "PGKRBSRVNAME",
  load_balance_hosts: "PGLOADBALANCEHOSTS",
  max_protocol_version: "PGMAXPROTOCOLVERSION",
  min_protocol_version: "PGMINPROTOCOLVERSION",
  oauth_client_id: null,
  oauth_client_secret: null,
  oauth_issuer: null,
  oauth_scope: null,
  options: "PGOPTIONS",
  passfile: "PGPASSFILE",
  replication: null,
  require_auth: "PGREQUIREAUTH",
  requirepeer: "PGREQUIREPEER",
  scram_client_key: null,
  scram_server_key: null,
  service: "PGSERVICE",
  servicefile: "PGSERVICEFILE",
  ssl_max_protocol_version: "PGSSLMAXPROTOCOLVERSION",
  ssl_min_protocol_version: "PGSSLMINPROTOCOLVERSION",
  sslcert: "PGSSLCERT",
  sslcertmode: "PGSSLCERTMODE",
  sslcompression: "PGSSLCOMPRESSION",
  sslcrl: "PGSSLCRL",
  sslcrldir: "PGSSLCRLDIR",
  sslkey: "PGSSLKEY",
  sslkeylogfile: null,
  sslmode: "PGSSLMODE",
  sslnegotiation: "PGSSLNEGOTIATION",
  sslpassword: null,
  sslrootcert: "PGSSLROOTCERT",
  sslsni: "PGSSLSNI",
  target_session_attrs: "PGTARGETSESSIONATTRS",
  tcp_user_timeout: null,
} as const satisfies Record<string, string | null>;

export type LibpqParameter = keyof typeof PARAMETER_VARIABLES;

export const LIBPQ_PARAMETERS = Object.keys(PARAMETER_VARIABLES) as readonly LibpqParameter[];

/** Parameters whose values are, or may be, secrets: never shown. */
export const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  "sslpassword",
  "oauth_client_secret",
  "scram_client_key",
  "scram_server_key",
  "jdbc:connectExecutorArg",
  "jdbc:socketFactoryArg",
  "jdbc:sslfactoryarg",
]);

/** Parameters that say *which* server is meant: a form that cannot carry them would lead somewhere else. */
export const ADDRESS_PARAMETERS: ReadonlySet<string> = new Set<LibpqParameter>(["hostaddr", "service", "servicefile"]);

export function isLibpqParameter(keyword: string): keyword is LibpqParameter {
  return Object.hasOwn(PARAMETER_VARIABLES, keyword);
}

/** The environment variable of a libpq parameter, or null where libpq has none. */
export function variableOf(parameter: LibpqParameter): string | null {
  return PARAMETER_VARIABLES[parameter];
}
