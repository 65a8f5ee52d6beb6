import type { Migration } from "./types.js";

export const sleep: Migration = {
  version: 2,
  name: "sleep",
  sql: `
-- What changes by itself while a service lives. No row: it never slept.
create table sleeps (
  service_id integer primary key references services (id) on delete cascade,
  asleep integer not null check (asleep in (0, 1)),
  wakes integer not null,
  last_wake_ms real,
  last_wake_at integer,
  slept_at integer,
  asleep_ms integer not null
) strict;

-- Verifiers of the roles as they were when the service went to sleep: who cannot log in must not wake it.
create table role_secrets (
  service_id integer primary key references services (id) on delete cascade,
  secrets blob not null
) strict;

-- Secrets of the installation itself.
create table sealed (
  name text primary key,
  value blob not null
) strict, without rowid;
`,
};
