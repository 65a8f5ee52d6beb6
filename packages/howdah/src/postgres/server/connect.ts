import { Socket } from "node:net";
import pg from "pg";
import { HowdahError } from "../../kernel/errors.js";
import type { Settings } from "../../spec/index.js";
import { ADMIN_ROLE, SOCKET_PORT } from "../settings/index.js";
import type { Distribution, ServerSpec } from "../types.js";

/** What a connection needs to know of a server. */
export type Endpoint = Pick<ServerSpec, "paths" | "title"> & { readonly distribution: Pick<Distribution, "major"> };

/** SQLSTATE disk_full. */
const DISK_FULL = "53100";
const CONNECT_MS = 10_000;
/** CREATE DATABASE copies template1, which may be large; nothing else of ours takes seconds. */
const ADMIN_QUERY_MS = 600_000;
const END_MS = 2_000;
/** Our own questions have short answers, those of an init script may be longer; pg keeps them whole in memory. */
const ADMIN_BYTES = 16 * 1024 ** 2;
const USER_BYTES = 64 * 1024 ** 2;

/**
 * Settings for the platform's own sessions: users may set defaults for everybody (read-only, time limits, libraries,
 * login triggers) that must not keep the platform from its work, and its statements hold verifiers of passwords, which
 * belong into no log.
 */
function adminOptions(major: number, extra: Readonly<Settings>): string {
  const settings = {
    default_transaction_read_only: "off",
    statement_timeout: "0",
    lock_timeout: "0",
    idle_in_transaction_session_timeout: "0",
    session_preload_libraries: "",
    log_statement: "none",
    log_min_duration_statement: "-1",
    log_min_error_statement: "panic",
    log_duration: "off",
    // Its texts may be read by members of pg_monitor. Where the extension is not loaded, the name means nothing.
    "pg_stat_statements.track": "none",
    ...(major >= 17 ? { event_triggers: "off" } : {}),
    ...extra,
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");
}

/**
 * The connection below a session. A service's superuser can put a program of his own behind the socket, in the place of
 * PostgreSQL, which answers without end, or never; so there is an end to what we take from it, and to waiting.
 */
function boundedSocket(maxBytes: number): Socket {
  const socket = new Socket();
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
    if (bytes > maxBytes) socket.destroy(new Error(`the server answered with more than ${maxBytes} bytes`));
  });
  // Our last word is said; pg would wait for the other end's for ever.
  socket.once("finish", () => setTimeout(() => socket.destroy(), END_MS).unref());
  return socket;
}

/** Without this pg would answer a server that asks for a password with PGPASSWORD or from ~/.pgpass. */
async function noPassword(): Promise<string> {
  throw new Error("the server asks for a password, and the platform's role has none");
}

/**
 * For sessions in databases that belong to others: their owner can set a search path with functions and operators of
 * his own before PostgreSQL's, which would run as us.
 */
export const TRUSTED_PATH: Readonly<Settings> = { search_path: "pg_catalog" };

/** A session of the platform's own superuser, over the Unix socket, by `peer`. End it with `client.end()`.
 *  `extra`: settings of the session, without blanks. Throws SQL_FAILED with PostgreSQL's words and its error as the cause,
 *  and when the socket leads to another service's server. */
export async function connectAdmin(
  spec: Endpoint,
  database = "postgres",
  extra: Readonly<Settings> = {},
): Promise<pg.Client> {
  const client = await connect(spec, {
    user: ADMIN_ROLE,
    password: noPassword,
    query_timeout: ADMIN_QUERY_MS,
    stream: () => boundedSocket(ADMIN_BYTES),
    database,
    application_name: "howdah",
    options: adminOptions(spec.distribution.major, extra),
  });
  try {
    await checkServer(client, spec);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/**
 * Whose server is it? The folder of the socket is its service's, whose superuser can put a link there that leads to the
 * socket of another service, and that one lets us in as well: the password of his service's role would be set in the
 * other one. So the server itself is asked, on the very connection that is used; he cannot make the other one lie.
 */
async function checkServer(client: pg.Client, { paths, title }: Endpoint): Promise<void> {
  const { rows } = await client.query<{ data: string }>("SELECT pg_catalog.current_setting('data_directory') AS data");
  if (rows[0]?.data === paths.data) return;
  throw new HowdahError("SQL_FAILED", `another server answers on the socket of server '${title}'`, {
    hint: `Somebody has changed what lies in '${paths.socket}'; stop the service and start it again.`,
  });
}

/** A session as a user would have it. Throws SQL_FAILED, DISK_FULL. */
export async function connectUser(
  spec: Endpoint,
  user: { username: string; password: string; database: string },
): Promise<pg.Client> {
  const stream = () => boundedSocket(USER_BYTES);
  return connect(spec, { user: user.username, password: () => user.password, database: user.database, stream });
}

async function connect(spec: Endpoint, config: pg.ClientConfig & { user: string }): Promise<pg.Client> {
  const client = new pg.Client({
    ...config,
    host: spec.paths.socket,
    port: SOCKET_PORT,
    ssl: false,
    connectionTimeoutMillis: CONNECT_MS,
  });
  // A server that ends while nothing is being asked would otherwise end us too; the next query reports it.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    // Also closes the socket of an attempt that timed out.
    await client.end().catch(() => undefined);
    const words = error instanceof Error ? error.message : String(error);
    throw sqlFailure(error, `role '${config.user}' cannot log in to server '${spec.title}': ${words}`);
  }
}

/** SQL_FAILED, or DISK_FULL when that is why: the kernel's words come with other states than its own, too. */
export function sqlFailure(cause: unknown, message: string): HowdahError {
  const sqlstate = sqlStateOf(cause);
  const isDiskFull = sqlstate === DISK_FULL || message.includes("No space left on device");
  const fields = sqlstate === undefined ? {} : { sqlstate };
  return new HowdahError(isDiskFull ? "DISK_FULL" : "SQL_FAILED", message, { cause, fields });
}

/** The SQLSTATE of an error from `pg`, also when it is the cause of ours. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof HowdahError) return sqlStateOf(error.cause);
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
