import type { Settings } from "../../spec/index.js";
import type { ServerSpec } from "../types.js";

/**
 * What Howdah decides about a server, given on its command line, where neither postgresql.conf nor ALTER SYSTEM can
 * override it. Without these a user could cut off the platform's own way in, or make logs that nobody finds.
 */
const FIXED = new Set([
  "listen_addresses",
  "port",
  "ssl",
  "unix_socket_directories",
  "unix_socket_permissions",
  "unix_socket_group",
  "hba_file",
  "ident_file",
  "data_directory",
  "config_file",
  "external_pid_file",
  "cluster_name",
  "restart_after_crash",
  "recovery_init_sync_method",
  "logging_collector",
  "log_destination",
  "log_directory",
  "log_filename",
  "log_file_mode",
  "log_timezone",
  "log_rotation_age",
  "log_rotation_size",
  "log_truncate_on_rotation",
]);

/** On the command line too, but a user may ask for more than Howdah needs. */
const AT_LEAST = new Map([
  ["max_wal_senders", 10],
  ["max_replication_slots", 10],
]);

/**
 * The server has no TCP port: clients reach it through the gateway, which owns the endpoint's. The number only names
 * the socket (`.s.PGSQL.5432`), which therefore stays the same whatever becomes of the endpoint.
 */
export const SOCKET_PORT = 5432;

/** How many bytes one log file holds before the next is begun. */
export const LOG_FILE_BYTES = 10 * 1024 * 1024;
/** Names begin like this, then the moment of their beginning in UTC: sorted by name is sorted by age. */
export const LOG_FILE_PREFIX = "postgresql-";

/** Whether a user may not set it at all. */
export function isOwned(name: string): boolean {
  return FIXED.has(name.toLowerCase());
}

/** Settings that Howdah adds to but that users may set within limits: what is allowed for their values, or null. */
export function ownedLimit(name: string, value: string): string | null {
  if (name !== "wal_level") return null;
  return /^(replica|logical)$/i.test(value) ? null : "Howdah needs 'replica' or 'logical' for its backups";
}

export type OwnedSpec = Pick<ServerSpec, "title" | "paths"> & {
  readonly distribution: Pick<ServerSpec["distribution"], "major">;
};

/** `requested`: what files and ALTER SYSTEM ask for, in lower-case names; only looked at for what may be raised. */
export function ownedSettings(spec: OwnedSpec, requested: Readonly<Settings> = {}): Settings {
  const { paths, distribution } = spec;
  return {
    listen_addresses: "",
    port: String(SOCKET_PORT),
    // Clients' TLS ends at the gateway.
    ssl: "off",
    unix_socket_directories: listItem(paths.socket),
    unix_socket_permissions: "0770",
    hba_file: hbaFile(spec),
    ident_file: identFile(spec),
    cluster_name: clusterName(spec.title),
    restart_after_crash: "on",
    wal_level: /^logical$/i.test(requested["wal_level"] ?? "") ? "logical" : "replica",
    ...Object.fromEntries([...AT_LEAST].map(([name, least]) => [name, raised(requested[name], least)])),
    // One syncfs instead of one fsync a file after a crash: 90 ms instead of 150, and far less with many files.
    ...(process.platform === "linux" ? { recovery_init_sync_method: "syncfs" } : {}),
    logging_collector: "on",
    log_destination: distribution.major >= 15 ? "jsonlog" : "stderr",
    log_directory: paths.log,
    // A new name at each rotation; old files are removed by us (prune-logs), since PostgreSQL never removes any.
    log_filename: `${LOG_FILE_PREFIX}%Y%m%d-%H%M%S.log`,
    log_file_mode: "0600",
    log_timezone: "UTC",
    log_rotation_age: "1d",
    log_rotation_size: `${LOG_FILE_BYTES / 1024}kB`,
    log_truncate_on_rotation: "off",
  };
}

/** `-c name=value` for each. No secret is among them: everybody can read command lines. */
export function toArguments(settings: Readonly<Settings>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

function hbaFile(spec: Pick<ServerSpec, "paths">): string {
  return `${spec.paths.root}/pg_hba.conf`;
}

function identFile(spec: Pick<ServerSpec, "paths">): string {
  return `${spec.paths.root}/pg_ident.conf`;
}

function raised(requested: string | undefined, least: number): string {
  const number = Number(requested);
  return String(Number.isInteger(number) && number > least ? number : least);
}

/** One item of a list of names: quoted where a comma, blank or quote would end it. */
function listItem(path: string): string {
  return /^[\w/.-]+$/.test(path) ? path : `"${path.replaceAll('"', '""')}"`;
}

/** It stands in the process title; PostgreSQL allows printable ASCII, 63 bytes. */
function clusterName(title: string): string {
  return title.replace(/[^\x20-\x7e]/g, "?").slice(0, 63);
}
