/**
 * Work in a running server as the platform's role. Its owner is a superuser and may have broken that role, knowingly or
 * not; without it nobody's password can be checked and the service never sleeps, so it is put right while the server runs.
 */
import type pg from "pg";
import { isHowdahError } from "../kernel/errors.js";
import { type AdminSessions, adminIsBroken, healAdminOnline } from "../postgres/index.js";
import type { ServiceRecord } from "../store/index.js";
import type { Base } from "./base.js";
import { placeOf } from "./base.js";

/** Whoever breaks it on purpose must not keep us busy. */
const HEAL_EVERY_MS = 5_000;

export class AdminWork {
  readonly #base: Base;
  readonly #sessions: AdminSessions;
  readonly #attempts = new Map<number, { readonly at: number; readonly done: Promise<boolean> }>();

  constructor(base: Base, sessions: AdminSessions) {
    this.#base = base;
    this.#sessions = sessions;
  }

  /** As `AdminSessions.run`. */
  async run<T>(record: ServiceRecord, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const place = placeOf(this.#base, record);
    try {
      return await this.#sessions.run(place, work);
    } catch (error) {
      if (!adminIsBroken(error) || !(await this.#heal(record))) throw error;
      return await this.#sessions.run(place, work);
    }
  }

  #heal(record: ServiceRecord): Promise<boolean> {
    const last = this.#attempts.get(record.id);
    const now = Date.now();
    if (last !== undefined && now - last.at < HEAL_EVERY_MS) return last.done;
    const done = this.#attempt(record);
    this.#attempts.set(record.id, { at: now, done });
    return done;
  }

  async #attempt(record: ServiceRecord): Promise<boolean> {
    const { store, log } = this.#base;
    const { username, database } = record.definition;
    try {
      const user = { username, database, password: store.services.password(record.id) };
      if (!(await healAdminOnline(placeOf(this.#base, record), user))) return false;
      store.events.append({ serviceId: record.id, kind: "healed", message: "role howdah_admin was put right" });
      return true;
    } catch (err) {
      if (!isHowdahError(err) && !isDatabaseError(err)) throw err;
      log.warn({ err, serviceId: record.id }, "unable to put the platform's role right; a restart of the service will");
      return false;
    }
  }
}

/** The service's own role may be no superuser any more, or may have left too. */
function isDatabaseError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}
