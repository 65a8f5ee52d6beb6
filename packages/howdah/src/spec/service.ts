import { z } from "zod";
import { EndpointPolicy, LOOPBACK_ENDPOINT, Mode, REGULAR } from "./endpoint.js";
import { Expression } from "./expression.js";

/** Majors that Howdah knows; the last minor of 14 was its final one, so it runs with a warning. */
export const SUPPORTED_MAJORS = [14, 15, 16, 17, 18] as const;
export const END_OF_LIFE_MAJORS: readonly number[] = [14];
export const DEFAULT_MAJOR = 18;
export type Major = (typeof SUPPORTED_MAJORS)[number];
export const Major = z.literal(SUPPORTED_MAJORS);

/** A file of /docker-entrypoint-initdb.d: read where the user is, run once on the fresh server, in order of names. */
export const InitScript = z.strictObject({
  name: z.string().regex(/^[^/\0]+\.(sql|sql\.gz|sh)$/),
  /** The file's bytes in base64. */
  contentBase64: z.base64(),
  /** `.sh` only: an executable script is run, another one is sourced, as in the official image. */
  executable: z.boolean().default(false),
});
export type InitScript = z.infer<typeof InitScript>;

export const SettingName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$/);
/** Names and values of PostgreSQL settings, as a user would write them in postgresql.conf (without quotes). */
export const Settings = z.record(SettingName, z.string().max(8_192));
export type Settings = z.infer<typeof Settings>;

/** One managed PostgreSQL server, as a door describes it. */
export const Service = z.strictObject({
  name: z.string(),
  type: z.literal("postgres").default("postgres"),
  major: Major.default(DEFAULT_MAJOR),
  /** What the file said, for messages only: `postgres:16.3-bookworm`. */
  image: z.string().nullable().default(null),
  database: Expression,
  username: Expression,
  /** null: generated once and kept. */
  password: Expression.nullable(),
  /** Host port asked for; null: the first free one from 5432. Either is then kept for ever. */
  port: z.int().min(1).max(65_535).nullable().default(null),
  /** Whose binaries; null: the embedded ones where there are any. Kept once the server is made. */
  engine: z.enum(["embedded", "system"]).nullable().default(null),
  /** What the settings are sized for, in bytes; null: the installation's default. */
  memoryBytes: z.int().positive().nullable().default(null),
  settings: Settings.default({}),
  mode: Mode.default(REGULAR),
  endpoint: EndpointPolicy.default(LOOPBACK_ENDPOINT),
  /** Extra words for initdb, as in POSTGRES_INITDB_ARGS; only read when the server is made. */
  initdbArgs: z.array(z.string()).default([]),
  initScripts: z.array(InitScript).default([]),
  /** Major version changes and the like may interrupt the service (Defang's `allow-downtime`). */
  allowDowntime: z.boolean().default(false),
});
export type Service = z.infer<typeof Service>;

export const SERVICE_STATES = [
  "creating",
  "running",
  "sleeping",
  "waking",
  "stopping",
  "stopped",
  "restoring",
  "upgrading",
  "failed",
  "deleting",
] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];
