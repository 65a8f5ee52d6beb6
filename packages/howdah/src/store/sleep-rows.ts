import type { Database } from "./database.js";
import type { SleepRecord } from "./types.js";

interface SleepRow {
  readonly asleep: number;
  readonly wakes: number;
  readonly last_wake_ms: number | null;
  readonly last_wake_at: number | null;
  readonly slept_at: number | null;
  readonly asleep_ms: number;
}

export function selectSleep(db: Database, id: number): SleepRecord {
  const row = db.one<SleepRow>(
    `select asleep, wakes, last_wake_ms, last_wake_at, slept_at, asleep_ms from sleeps where service_id = :id`,
    { id },
  );
  return {
    asleep: row?.asleep === 1,
    wakes: row?.wakes ?? 0,
    lastWakeMs: row?.last_wake_ms ?? null,
    lastWakeAt: row?.last_wake_at ?? null,
    sleptAt: row?.slept_at ?? null,
    asleepMs: row?.asleep_ms ?? 0,
  };
}

export function upsertSleep(db: Database, id: number, sleep: SleepRecord): void {
  db.run(
    `insert into sleeps (service_id, asleep, wakes, last_wake_ms, last_wake_at, slept_at, asleep_ms)
     values (:id, :asleep, :wakes, :last_wake_ms, :last_wake_at, :slept_at, :asleep_ms)
     on conflict (service_id) do update set asleep = excluded.asleep, wakes = excluded.wakes,
       last_wake_ms = excluded.last_wake_ms, last_wake_at = excluded.last_wake_at, slept_at = excluded.slept_at,
       asleep_ms = excluded.asleep_ms`,
    {
      id,
      asleep: sleep.asleep ? 1 : 0,
      wakes: sleep.wakes,
      last_wake_ms: sleep.lastWakeMs,
      last_wake_at: sleep.lastWakeAt,
      slept_at: sleep.sleptAt,
      asleep_ms: sleep.asleepMs,
    },
  );
}

export function selectRoleSecrets(db: Database, id: number): Buffer | undefined {
  return db.one<{ secrets: Buffer }>("select secrets from role_secrets where service_id = :id", { id })?.secrets;
}

export function upsertRoleSecrets(db: Database, id: number, secrets: Buffer): void {
  db.run(
    `insert into role_secrets (service_id, secrets) values (:id, :secrets)
     on conflict (service_id) do update set secrets = excluded.secrets`,
    { id, secrets },
  );
}
