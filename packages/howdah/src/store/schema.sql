CREATE TABLE api_keys (
  id integer primary key autoincrement,
  name text not null,
  sha256 blob not null unique,
  created_at integer not null,
  last_used_at integer
) strict;

CREATE TABLE apps (
  project text not null,
  name text not null,
  position integer not null,
  app blob not null,
  primary key (project, name)
) strict, without rowid;

CREATE TABLE configs (
  project text not null,
  name text not null,
  value blob not null,
  updated_at integer not null,
  primary key (project, name)
) strict, without rowid;

CREATE TABLE events (
  id integer primary key autoincrement,
  at integer not null,
  service_id integer,
  kind text not null,
  message text not null
) strict;

CREATE INDEX events_service on events (service_id, id);

CREATE TABLE init_scripts (
  service_id integer primary key references services (id) on delete cascade,
  scripts blob not null
) strict;

CREATE TABLE meta (
  key text primary key,
  value text not null
) strict;

CREATE TABLE migrations (
  version integer primary key,
  name text not null,
  applied_at integer not null
) strict;

CREATE TABLE role_secrets (
  service_id integer primary key references services (id) on delete cascade,
  secrets blob not null
) strict;

CREATE TABLE sealed (
  name text primary key,
  value blob not null
) strict, without rowid;

CREATE TABLE services (
  id integer primary key autoincrement,
  project text not null,
  name text not null,
  slug text not null,
  origin text not null,
  definition text not null,
  password blob not null,
  desired text not null check (desired in ('running', 'stopped', 'deleted')),
  state text not null,
  state_detail text,
  notices text not null,
  port integer not null check (port between 1 and 65535),
  engine text,
  uid integer,
  provisioned text,
  generation integer not null,
  observed_generation integer not null,
  restart_wanted integer not null,
  restarted_for integer not null,
  created_at integer not null,
  updated_at integer not null,
  removed_at integer,
  expires_at integer,
  check ((removed_at is null) = (expires_at is null))
) strict;

CREATE UNIQUE INDEX services_live_name on services (project, name) where removed_at is null;

CREATE UNIQUE INDEX services_live_port on services (port) where removed_at is null;

CREATE UNIQUE INDEX services_live_slug on services (slug) where removed_at is null;

CREATE UNIQUE INDEX services_uid on services (uid) where uid is not null;

CREATE TABLE sleeps (
  service_id integer primary key references services (id) on delete cascade,
  asleep integer not null check (asleep in (0, 1)),
  wakes integer not null,
  last_wake_ms real,
  last_wake_at integer,
  slept_at integer,
  asleep_ms integer not null
) strict;
