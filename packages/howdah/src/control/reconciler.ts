/**
 * Makes the world match the wishes, one service at a time: observe, plan, act, until the plan is empty. A service has
 * at most one such run under way; a kick during it makes another round. Nothing here remembers anything that a crash
 * may not forget: wishes are rows, the rest is observed.
 */

import { type Clock, systemClock } from "../kernel/clock.js";
import { HowdahError, isHowdahError } from "../kernel/errors.js";
import { backoffMs } from "../kernel/retry.js";
import { findFreePort, type ProcessIdentity, watchExit } from "../runtime/index.js";
import type { ServiceRecord } from "../store/index.js";
import { act } from "./act.js";
import { type Context, marks } from "./context.js";
import { observeService } from "./observe-service.js";
import { Places } from "./places.js";
import { planService } from "./plan-service.js";

/** More rounds than any legal sequence of actions needs; beyond it the plan and the world disagree for good. */
const MAX_ROUNDS = 40;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 30_000;
/** A crash is answered at once, this often in a row; only what keeps crashing is slowed down. */
const PROMPT_RESTARTS = 3;
/** A server that ran this long was well: the row of crashes ends. */
const STEADY_MS = 2_000;
/** Failures stay readable for somebody who waits for a service that was rolled back. */
const FAILURE_KEPT_MS = 600_000;

export interface Failure {
  readonly error: HowdahError;
  /** The wish that could not be carried out. */
  readonly generation: number;
  /** The service never came to be and is being taken away again; `stuck`: that failed, too, and goes on behind. */
  readonly rollback: boolean | "stuck";
}

interface Slot {
  running: Promise<void> | null;
  again: boolean;
  attempts: number;
  timer: NodeJS.Timeout | null;
  watch: { identity: ProcessIdentity; stop: () => void } | null;
}

export class Reconciler {
  readonly #context: Context;
  readonly #clock: Clock;
  readonly #slots = new Map<number, Slot>();
  readonly #failures = new Map<number, Failure>();
  readonly #abort = new AbortController();
  readonly #places: Places;

  constructor(context: Context, options: { parallel: number; clock?: Clock }) {
    this.#context = context;
    this.#clock = options.clock ?? systemClock;
    this.#places = new Places(options.parallel);
  }

  /** Why the last attempt to carry out the service's present wish failed. */
  failure(id: number, generation: number): Failure | undefined {
    const failure = this.#failures.get(id);
    return failure !== undefined && failure.generation >= generation ? failure : undefined;
  }

  /** Whether somebody is at work, or will be without being asked again. */
  busy(id: number): boolean {
    const slot = this.#slots.get(id);
    return slot !== undefined && (slot.running !== null || slot.timer !== null);
  }

  /** Looks at the service now. `fresh`: a new wish, so earlier failures count no longer. */
  kick(id: number, options: { fresh?: boolean } = {}): void {
    if (this.#abort.signal.aborted) return;
    const slot = this.#slot(id);
    if (options.fresh === true) {
      slot.attempts = 0;
      this.#failures.delete(id);
    }
    if (slot.timer !== null) clearTimeout(slot.timer);
    slot.timer = null;
    if (slot.running !== null) {
      slot.again = true;
      return;
    }
    slot.running = this.#run(id, slot).finally(() => {
      slot.running = null;
      if (slot.again) {
        slot.again = false;
        this.kick(id);
      } else if (slot.timer === null && slot.watch === null) {
        this.#slots.delete(id);
      }
      this.#context.changes.emit("changed", id);
    });
  }

  /** Stops deciding and waits for the action under way. Servers go on. */
  async close(): Promise<void> {
    this.#abort.abort();
    for (const slot of this.#slots.values()) {
      if (slot.timer !== null) clearTimeout(slot.timer);
      slot.timer = null;
      slot.watch?.stop();
      slot.watch = null;
    }
    await Promise.all([...this.#slots.values()].flatMap((slot) => (slot.running === null ? [] : [slot.running])));
  }

  #slot(id: number): Slot {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const slot: Slot = { running: null, again: false, attempts: 0, timer: null, watch: null };
    this.#slots.set(id, slot);
    return slot;
  }

  readonly #inLine = (work: () => Promise<void>) => this.#places.run(work);

  async #run(id: number, slot: Slot): Promise<void> {
    // Somebody waits for a wake, which takes milliseconds: it does not stand in line behind an initdb.
    const inLine = this.#context.sleep.wakeWanted(id) ? (work: () => Promise<void>) => work() : this.#inLine;
    await inLine(async () => {
      try {
        await this.#converge(id, slot);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        await this.#failed(id, slot, error).catch((again: unknown) => {
          // On a full disk not even the failure can be written down: it is told all the same, and tried again.
          this.#context.log.error({ serviceId: id, err: again }, "unable to note a failure");
          this.#retryLater(id, slot);
        });
      }
    });
  }

  async #converge(id: number, slot: Slot): Promise<void> {
    const { store } = this.#context;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const record = store.services.get(id);
      if (record === undefined) return this.#forget(id, slot);
      if (this.#isRollingBack(id) && isNew(record)) {
        this.#rollBack(record);
        continue;
      }
      const facts = await observeService(this.#context, record);
      const actions = planService(record, facts);
      if (actions.length === 0) {
        const postmaster = "postmaster" in facts.server ? facts.server.postmaster : null;
        return this.#settle(record, slot, postmaster);
      }
      for (const action of actions) {
        if (this.#abort.signal.aborted) return;
        const now = store.services.get(id);
        if (now === undefined) return this.#forget(id, slot);
        // A new wish may have made the rest of this plan wrong.
        if (now.generation !== record.generation) break;
        if (action.do === "stop" || action.do === "start" || action.do === "sleep") this.#unwatch(slot);
        await act(this.#context, now, action, this.#abort.signal);
      }
    }
    throw new HowdahError("INTERNAL", `service ${id} did not converge after ${MAX_ROUNDS} rounds`);
  }

  async #settle(record: ServiceRecord, slot: Slot, postmaster: ProcessIdentity | null): Promise<void> {
    const { gateway, sleep } = this.#context;
    const { id } = record;
    const isUp = postmaster !== null;
    const state = record.desired === "stopped" ? "stopped" : isUp ? "running" : "sleeping";
    // A wish that came true is written down first, or a disk that fills up in between makes it look failed.
    const isWish = record.observedGeneration !== record.generation;
    if (isWish) this.#note(record, state);
    if (isUp) {
      this.#watch(id, slot, postmaster);
      // Clients wait for this.
      const opening = gateway.opened(id);
      sleep.running(record);
      await opening;
      sleep.noteWake(record);
    } else {
      gateway.markClosed(id);
      sleep.down(id);
    }
    if (!isWish) this.#note(record, state);
    this.#failures.delete(id);
    // Last: whoever waits for this may look at once.
    this.#context.changes.emit("changed", id);
  }

  #note(record: ServiceRecord, state: "running" | "stopped" | "sleeping"): void {
    const { store, log } = this.#context;
    const patch = { state, stateDetail: null, observedGeneration: record.generation } as const;
    const now = store.services.get(record.id);
    if (now === undefined) return;
    if (Object.entries(patch).every(([key, value]) => now[key as keyof ServiceRecord] === value)) return;
    // That a wish came true must be known even after a power cut; that a service sleeps or woke need not.
    if (now.observedGeneration === record.generation) store.services.observe(record.id, patch);
    else store.services.patch(record.id, patch);
    log.info({ serviceId: record.id, state }, "service settled");
  }

  #watch(id: number, slot: Slot, identity: ProcessIdentity): void {
    const watched = slot.watch?.identity;
    if (watched?.pid === identity.pid && watched.startTime === identity.startTime) return;
    this.#unwatch(slot);
    const since = this.#clock.now();
    const stop = watchExit(identity, () => {
      slot.watch = null;
      if (this.#clock.now() - since > STEADY_MS) slot.attempts = 0;
      this.#context.log.warn({ serviceId: id, postmaster: identity.pid }, "postgres ended unasked");
      this.#context.gateway.markClosed(id);
      void this.#context.sessions.forget(id);
      markDown(this.#context, id);
      this.#tell(id, "crashed", `process ${identity.pid} ended unasked`);
      this.#retryLater(id, slot, slot.attempts < PROMPT_RESTARTS ? 0 : undefined);
    });
    slot.watch = { identity, stop };
  }

  #unwatch(slot: Slot): void {
    slot.watch?.stop();
    slot.watch = null;
  }

  #forget(id: number, slot: Slot): void {
    this.#unwatch(slot);
    this.#context.sleep.giveUp(id, new HowdahError("SERVICE_NOT_FOUND", "the service was removed"));
    this.#context.sleep.down(id);
  }

  async #failed(id: number, slot: Slot, thrown: unknown): Promise<void> {
    const { store, log } = this.#context;
    const record = store.services.get(id);
    if (record === undefined) return;
    const error = isHowdahError(thrown)
      ? thrown
      : new HowdahError("INTERNAL", "internal error while working on the service", { cause: thrown });
    log.error({ serviceId: id, code: error.code, err: thrown }, "unable to carry out the wish");
    this.#tell(id, "failed", error.message);
    if (await this.#anotherPort(record, error)) return this.#retryLater(id, slot, 0);
    const rollback = isNew(record);
    // While it is being rolled back, the first reason is the one to tell.
    const first = this.#isRollingBack(id) ? this.#failures.get(id) : undefined;
    const { generation } = record;
    this.#failures.set(id, first === undefined ? { error, generation, rollback } : { ...first, rollback: "stuck" });
    setTimeout(() => this.#failures.delete(id), FAILURE_KEPT_MS).unref();
    if (rollback) {
      this.#rollBack(record);
      return this.#retryLater(id, slot, 0);
    }
    this.#context.sleep.failed(id, error);
    store.services.patch(id, { state: "failed", stateDetail: error.message, observedGeneration: record.generation });
    if (error.spec.retryable || error.code === "INTERNAL" || first !== undefined) this.#retryLater(id, slot);
  }

  #isRollingBack(id: number): boolean {
    return (this.#failures.get(id)?.rollback ?? false) !== false;
  }

  /** The first start failed: nothing half-made stays behind, and whoever waits gets the reason. */
  #rollBack({ id }: ServiceRecord): void {
    const stateDetail = this.#failures.get(id)?.error.message ?? null;
    this.#context.store.services.patch(id, { desired: "deleted", state: "deleting", stateDetail });
  }

  /** Events are for people: one that cannot be written is no reason to leave the service alone. */
  #tell(serviceId: number, kind: string, message: string): void {
    try {
      this.#context.store.events.append({ serviceId, kind, message });
    } catch (err) {
      this.#context.log.warn({ serviceId, kind, err }, "unable to write an event");
    }
  }

  /** The chosen port was taken by somebody else between the choice and the first start. */
  async #anotherPort(record: ServiceRecord, error: HowdahError): Promise<boolean> {
    const { store } = this.#context;
    if (error.code !== "PORT_TAKEN" || record.provisioned !== null || !marks.automaticPort.get(store, record.id))
      return false;
    store.services.patch(record.id, { port: await findFreePort(store.services.ports(), record.port + 1) });
    return true;
  }

  #retryLater(id: number, slot: Slot, delayMs?: number): void {
    if (this.#abort.signal.aborted) return;
    const tries = Math.max(0, slot.attempts - PROMPT_RESTARTS);
    const waitMs = delayMs ?? backoffMs(tries, RETRY_MIN_MS, RETRY_MAX_MS);
    slot.attempts++;
    if (slot.timer !== null) clearTimeout(slot.timer);
    slot.timer = setTimeout(() => {
      slot.timer = null;
      this.kick(id);
    }, waitMs);
  }
}

/** Until somebody gets to it, a server that went down must not be shown as running. */
export function markDown(context: Context, id: number): void {
  try {
    if (context.store.services.get(id)?.state !== "running") return;
    context.store.services.observe(id, { state: "waking", stateDetail: "to be started again" });
    context.changes.emit("changed", id);
  } catch (err) {
    context.log.warn({ serviceId: id, err }, "unable to write a state");
  }
}

/** Wanted, and never yet complete. */
function isNew(record: ServiceRecord): boolean {
  return record.desired === "running" && record.provisioned === null;
}
