/**
 * What goes on inside a server that a stop would break off or that would not go on in a server that is down. The
 * gateway knows its clients; this is about everybody: sessions that came some other way, statements whose client is
 * gone, the server's own work, and extensions that do things by the clock.
 *
 * Not counted, since a clean stop loses nothing of it: prepared transactions (they and their locks are durable), replication
 * slots that nobody reads (their reader connects again and wakes the server), and processes that every server has.
 */
import type pg from "pg";
import { ADMIN_ROLE } from "../settings/index.js";

interface ActivityRow {
  readonly kind:
    | "session"
    | "statement"
    | "transaction"
    | "autovacuum"
    | "base-backup"
    | "replication"
    | "slot"
    | "subscription"
    | "parallel"
    | "archiver"
    | "exclusive-backup"
    | "worker";
  readonly count: number;
  /** Role, table, name, or type of process. */
  readonly name: string | null;
  readonly client: string | null;
  readonly application: string | null;
}

/** Processes that every server has. Whatever is neither here nor known by name is an extension's. */
const HARMLESS = [
  "autovacuum launcher",
  "background writer",
  "checkpointer",
  "io worker",
  "logical replication launcher",
  "slotsync worker",
  "startup",
  "walreceiver",
  "walsummarizer",
  "walwriter",
  "WAL summarizer",
];

/**
 * Our own sessions never count, but for a base backup: it would have to begin anew. The archiver is at rest when it
 * waits for work. Replication workers belong to a subscription, which is listed by itself.
 */
const ACTIVITY = `
  WITH backends AS (
    SELECT pid, backend_type AS type, usename AS role, application_name AS application, state, query, leader_pid,
           wait_event_type, xact_start, coalesce(pg_catalog.host(client_addr), '[local]') AS client,
           usename IS NOT DISTINCT FROM '${ADMIN_ROLE}' AND application_name = 'howdah' AS own
    FROM pg_catalog.pg_stat_activity
    WHERE pid <> pg_catalog.pg_backend_pid() AND backend_type <> ALL ($1::text[]) AND backend_type !~ '^autoprewarm '
  ), found AS (
    SELECT CASE state WHEN 'active' THEN 'statement' WHEN 'fastpath function call' THEN 'statement'
                      WHEN 'idle in transaction' THEN 'transaction' WHEN 'idle in transaction (aborted)' THEN 'transaction'
                      ELSE 'session' END AS kind,
           role::text AS name, client, application
    FROM backends WHERE type = 'client backend' AND NOT own
    UNION ALL
    SELECT 'autovacuum', pg_catalog.substring(query, '^autovacuum: [A-Z ]+ (.*)$'), NULL, NULL
    FROM backends WHERE type = 'autovacuum worker'
    UNION ALL
    SELECT 'parallel', NULL, NULL, NULL
    FROM backends b WHERE type = 'parallel worker'
      AND NOT EXISTS (SELECT FROM backends l WHERE l.pid = b.leader_pid)
      AND b.leader_pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
    UNION ALL
    SELECT 'base-backup', NULL, NULL, NULL FROM pg_catalog.pg_stat_progress_basebackup
    UNION ALL
    SELECT 'replication', role::text, client, application
    FROM backends b WHERE type = 'walsender' AND NOT own
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_basebackup p WHERE p.pid = b.pid)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = b.pid AND s.slot_type = 'logical')
    UNION ALL
    SELECT 'slot', slot_name::text, NULL, NULL
    FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical' AND active
    UNION ALL
    SELECT 'subscription', subname::text, NULL, NULL FROM pg_catalog.pg_subscription WHERE subenabled
    UNION ALL
    SELECT 'archiver', NULL, NULL, NULL
    FROM backends WHERE type = 'archiver' AND wait_event_type IS DISTINCT FROM 'Activity'
    UNION ALL
    SELECT 'worker', type, NULL, NULL
    FROM backends
    WHERE type NOT IN ('client backend', 'autovacuum worker', 'parallel worker', 'walsender', 'archiver')
      AND type !~ '^logical replication '
  )
  SELECT kind, count(*)::int AS count, name, client, application
  FROM found GROUP BY kind, name, client, application ORDER BY kind, name, client, application`;

/** Until 14 a backup can go on without a session of its own. */
const VERSION = "SELECT pg_catalog.current_setting('server_version_num')::int AS version";
const EXCLUSIVE_BACKUP = "SELECT pg_catalog.pg_is_in_backup() AS active";

/** Why the server must not be stopped now, each a short phrase for people: `1 session of role app from [local] (psql)`.
 *  Empty when nothing speaks against it. Throws what `pg` throws. */
export async function readActivity(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<ActivityRow>(ACTIVITY, [HARMLESS]);
  return [...rows.map(describe), ...(await exclusiveBackup(client))];
}

async function exclusiveBackup(client: pg.Client): Promise<string[]> {
  const version = (await client.query<{ version: number }>(VERSION)).rows[0]?.version ?? 0;
  if (version >= 150_000) return [];
  const { rows } = await client.query<{ active: boolean }>(EXCLUSIVE_BACKUP);
  return rows[0]?.active === true ? ["a base backup"] : [];
}

function describe(row: ActivityRow): string {
  const name = clean(row.name ?? "");
  const application = row.application ? ` (${clean(row.application)})` : "";
  const from = `from ${row.client ?? "[local]"}${application}`;
  switch (row.kind) {
    case "session":
      return `${counted(row.count, "session")} of role ${name} ${from}`;
    case "statement":
      return `${counted(row.count, "running statement")} of role ${name} ${from}`;
    case "transaction":
      return `${counted(row.count, "open transaction")} of role ${name} ${from}`;
    case "autovacuum":
      return name === "" ? "an autovacuum" : `an autovacuum of ${name.replace(/ \(to prevent wraparound\)$/, "")}`;
    case "base-backup":
      return "a base backup";
    case "replication":
      return `a replication ${from}`;
    case "slot":
      return `a logical replication slot '${name}' in use`;
    case "subscription":
      return `an enabled subscription '${name}'`;
    case "parallel":
      return "a parallel worker";
    case "archiver":
      return "WAL on its way to archive_command";
    default:
      return `background worker '${name}'`;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Names are the users' own, and go to terminals. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, "?").slice(0, 128);
}
