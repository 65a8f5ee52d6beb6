/**
 * Puts a server to sleep, in two phases. First what takes time while clients may still come, and then are let in as if
 * nothing were under way: vacuum what is due, since a server that lives for seconds never sees its autovacuum, and
 * write a checkpoint. Then the gate is closed, unless somebody is in, and the server is stopped in order; who comes now
 * waits for the next wake. A crash between any two steps leaves a server that runs, and is awake, or one that is down,
 * and sleeps.
 */
import { isHowdahError } from "../kernel/errors.js";
import {
  checkpoint,
  readActivity,
  readRoleSecrets,
  type ServerSpec,
  stopServer,
  vacuumDue,
} from "../postgres/index.js";
import type { ServiceRecord } from "../store/index.js";
import { type Context, placeOf } from "./context.js";

/** A fast stop writes what the checkpoint just before has left, so it is short; then it is made immediate. */
const STOP_TIMEOUT_MS = 120_000;

export async function fallAsleep(context: Context, record: ServiceRecord): Promise<void> {
  const signal = context.sleep.preparing(record.id);
  let reasons: readonly string[] = [];
  try {
    reasons = await prepare(context, record, signal).catch((error: unknown) => unprepared(context, record, error));
    if (reasons.length === 0 && !signal.aborted) reasons = await stopUnlessBusy(context, record, signal);
  } finally {
    context.sleep.prepared(record.id, reasons);
  }
}

/** A damaged table that cannot be vacuumed is a reason to stay awake and to say so, not a service that failed. */
function unprepared(context: Context, record: ServiceRecord, error: unknown): string[] {
  if (!isHowdahError(error)) throw error;
  context.log.warn({ err: error, serviceId: record.id }, "unable to prepare a sleep");
  return [`its sleep could not be prepared: ${error.message}`];
}

/** Phase one. Resolves to what speaks against a sleep. */
async function prepare(context: Context, record: ServiceRecord, signal: AbortSignal): Promise<readonly string[]> {
  const { admin, log } = context;
  const place = placeOf(context, record);
  const before = await admin.run(record, readActivity);
  if (before.length > 0 || signal.aborted) return before;
  const done = await vacuumDue(place, { signal, log });
  if (done.length > 0) {
    context.store.events.append({ serviceId: record.id, kind: "vacuumed", message: describeTables(done) });
  }
  if (signal.aborted) return [];
  await admin.run(record, checkpoint);
  return [];
}

/** Phase two. */
async function stopUnlessBusy(
  context: Context,
  record: ServiceRecord,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { store, sessions, admin, gateway, sleep, log, clean } = context;
  const secrets = await admin.run(record, readRoleSecrets);
  if (signal.aborted || sleep.wakeWanted(record.id)) return [];
  if ((await gateway.closed(record.id, { unlessBusy: true })) > 0) return [];
  let stopping = false;
  try {
    // Nobody comes in any more; what goes on inside by itself may have begun only now.
    const reasons = await admin.run(record, readActivity);
    // Aborted: somebody came and left while the door was being closed, and may have changed a password since it was read.
    if (reasons.length > 0 || signal.aborted || sleep.wakeWanted(record.id)) return reasons;
    const began = performance.now();
    if (JSON.stringify(store.services.roleSecrets(record.id)) !== JSON.stringify(secrets)) {
      store.services.setRoleSecrets(record.id, secrets);
    }
    // First: a server that ends unasked after this is not started again before somebody wants it.
    store.services.observeSleep(record.id, { asleep: true, sleptAt: Date.now() });
    await sessions.forget(record.id);
    stopping = true;
    const stopped = await stopServer(placeOfServer(context, record), { mode: "fast", timeoutMs: STOP_TIMEOUT_MS, log });
    if (stopped.clean) clean.add(record.id);
    const took = Math.round(performance.now() - began);
    store.events.append({ serviceId: record.id, kind: "slept", message: `put to sleep in ${took} ms` });
    return [];
  } finally {
    if (!stopping) await gateway.opened(record.id);
  }
}

function placeOfServer(context: Context, record: ServiceRecord): Pick<ServerSpec, "paths" | "uid" | "title"> {
  return { ...placeOf(context, record), uid: record.uid };
}

const TABLES_NAMED = 5;

/** A fresh database has a dozen that are due at its first sleep; nobody wants to read them all. */
function describeTables(tables: readonly string[]): string {
  const more = tables.length - TABLES_NAMED;
  const named = tables.slice(0, TABLES_NAMED).join(", ");
  return `before the sleep: ${named}${more > 0 ? ` and ${more} more` : ""}`;
}
