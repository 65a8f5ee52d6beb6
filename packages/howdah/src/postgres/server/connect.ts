import pg from "pg";
import { HowdahError } from "../../kernel/errors.js";
import { ADMIN_ROLE } from "../settings/index.js";
import type { ServerSpec } from "../types.js";

/** What a connection needs to know of a server. */
export type Endpoint = Pick<ServerSpec, "paths" | "port" | "title" | "distribution">;

const CONNECT_MS = 10_000;

/**
 * Settings for the platform's own sessions: users may set defaults for everybody (read-only, time limits, libraries,
 * login triggers) that must not keep the platform from its work, and its statements hold verifiers of passwords, which
 * belong into no log.
 */
function adminOptions(major: number): string {
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
    ...(major >= 17 ? { event_triggers: "off" } : {}),
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");
}

/** A session of the platform's own superuser, over the Unix socket, by `peer`. End it with `client.end()`.
 *  Throws SQL_FAILED with PostgreSQL's words and its error as the cause. */
export async function connectAdmin(spec: Endpoint, database = "postgres"): Promise<pg.Client> {
  return connect(spec, {
    user: ADMIN_ROLE,
    database,
    application_name: "howdah",
    options: adminOptions(spec.distribution.major),
  });
}

/** A session as a user would have it. Throws SQL_FAILED. */
export async function connectUser(
  spec: Endpoint,
  user: { username: string; password: string; database: string },
): Promise<pg.Client> {
  return connect(spec, { user: user.username, password: user.password, database: user.database });
}

async function connect(spec: Endpoint, config: pg.ClientConfig & { user: string }): Promise<pg.Client> {
  const client = new pg.Client({
    ...config,
    host: spec.paths.socket,
    port: spec.port,
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
    throw new HowdahError("SQL_FAILED", `role '${config.user}' cannot log in to server '${spec.title}': ${words}`, {
      cause: error,
    });
  }
}

/** The SQLSTATE of an error from `pg`, also when it is the cause of ours. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof HowdahError) return sqlStateOf(error.cause);
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
