import type pg from "pg";
import { HowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import { ident } from "../role/quoting.js";
import { connectAdmin, type Endpoint, sqlStateOf, TRUSTED_PATH } from "../server/index.js";
import { type DueTable, tablesToVacuum } from "./tables-to-vacuum.js";

/** A large table takes as long as it takes; a client that comes interrupts it. pg keeps no longer time. */
const VACUUM_MS = 2 ** 31 - 1;
/** The table or its schema went meanwhile; the database went, or lets nobody in any more. */
const TABLE_GONE = ["42P01", "3F000"];
const DATABASE_GONE = ["3D000", "55000"];
const CANCELED = "57014";
const LOCK_NOT_AVAILABLE = "55P03";

const DATABASES = `
  SELECT datname AS name FROM pg_catalog.pg_database WHERE datallowconn AND datconnlimit <> -2 ORDER BY datname`;

export interface VacuumOptions {
  /** Interrupts at once; what was begun is broken off, which harms nothing. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Called before each table, with its name as it is returned. */
  readonly onTable?: (table: string) => void;
}

/**
 * Does what autovacuum would do, for a server that does not live long enough for it: one table at a time, in all
 * databases, without waiting for locks. Returns the tables that were worked on as `database.schema.table`; an
 * interruption is no error. A table that cannot be vacuumed keeps the others from nothing; then throws SQL_FAILED.
 */
export async function vacuumDue(spec: Endpoint, o: VacuumOptions): Promise<string[]> {
  const done: string[] = [];
  const failures: unknown[] = [];
  for (const database of await databasesOf(spec)) {
    if (o.signal.aborted) break;
    const client = await connectUnlessGone(spec, database);
    if (client === null) continue;
    try {
      for (const table of await tablesToVacuum(client, spec.distribution.major)) {
        if (o.signal.aborted) break;
        const title = `${database}.${table.schema}.${table.name}`;
        o.onTable?.(title);
        try {
          if (await work(spec, client, table, o)) done.push(title);
        } catch (error) {
          const words = error instanceof Error ? error.message : String(error);
          o.log.warn({ server: spec.title, table: title, err: error }, "unable to vacuum a table");
          failures.push(
            new HowdahError("SQL_FAILED", `table '${title}' cannot be vacuumed: ${words}`, { cause: error }),
          );
        }
      }
    } finally {
      await client.end();
    }
  }
  if (failures.length > 0 && !o.signal.aborted) throw failures[0];
  return done;
}

async function databasesOf(spec: Endpoint): Promise<string[]> {
  const client = await connectAdmin(spec, "postgres", TRUSTED_PATH);
  try {
    return (await client.query<{ name: string }>(DATABASES)).rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

async function connectUnlessGone(spec: Endpoint, database: string): Promise<pg.Client | null> {
  try {
    return await connectAdmin(spec, database, TRUSTED_PATH);
  } catch (error) {
    if (DATABASE_GONE.includes(sqlStateOf(error) ?? "")) return null;
    throw error;
  }
}

/** False when the table was left out: interrupted, locked by somebody, gone. */
async function work(spec: Endpoint, client: pg.Client, table: DueTable, o: VacuumOptions): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_catalog.pg_backend_pid() AS pid");
  const pid = rows[0]?.pid;
  let skipped = false;
  const onNotice = ({ code }: { code?: string | undefined }) => {
    if (code === LOCK_NOT_AVAILABLE) skipped = true;
  };
  let canceling: Promise<void> | undefined;
  const onAbort = () => {
    canceling = cancel(spec, pid, o.log);
  };
  client.on("notice", onNotice);
  o.signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (o.signal.aborted) return false;
    const query: pg.QueryConfig & { query_timeout: number } = {
      text: statement(table),
      query_timeout: VACUUM_MS,
    };
    await client.query(query);
    return !skipped;
  } catch (error) {
    if (o.signal.aborted && sqlStateOf(error) === CANCELED) return false;
    if (TABLE_GONE.includes(sqlStateOf(error) ?? "")) return false;
    throw error;
  } finally {
    o.signal.removeEventListener("abort", onAbort);
    client.off("notice", onNotice);
    // Not left to hit whatever this session does next.
    await canceling;
  }
}

/** TOAST tables are listed by themselves, and autovacuum takes one worker a table too. */
function statement({ schema, name, vacuum, analyze, wraparound }: DueTable): string {
  const table = `${ident(schema)}.${ident(name)}`;
  if (!vacuum) return `ANALYZE (SKIP_LOCKED) ${table}`;
  const options = ["SKIP_LOCKED", "PARALLEL 0", ...(schema === "pg_toast" ? [] : ["PROCESS_TOAST FALSE"])];
  // Plain VACUUM goes by ages of its own, with which a table of a lower limit would be due again the next time.
  if (wraparound) options.push("FREEZE");
  if (analyze) options.push("ANALYZE");
  return `VACUUM (${options.join(", ")}) ${table}`;
}

async function cancel(spec: Endpoint, pid: number | undefined, log: Logger): Promise<void> {
  try {
    const client = await connectAdmin(spec, "postgres", TRUSTED_PATH);
    try {
      await client.query("SELECT pg_catalog.pg_cancel_backend($1)", [pid]);
    } finally {
      await client.end();
    }
  } catch (error) {
    // It goes on then, and hinders nobody: vacuum takes no lock that others wait for, and gives way.
    log.warn({ server: spec.title, err: error }, "unable to interrupt a vacuum");
  }
}
