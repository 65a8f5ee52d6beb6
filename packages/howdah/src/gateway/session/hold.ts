/**
 * Brings an authenticated client to its server, however long that takes within the hold limit: through the gate (which
 * wakes the server), in line for a login, again when the server goes away under it, in line for a backend when there is
 * none free. A client never sees an error that waiting would have cured.
 */
import type { Clock } from "../../kernel/clock.js";
import { formatDuration } from "../../kernel/durations.js";
import { backoffMs } from "../../kernel/retry.js";
import type { Endpoint } from "../link/contract.js";
import type { WakeRequest } from "./gate.js";
import { Refused, RefusedByServer, refusedByControl, SQLSTATES, sqlstateOf } from "./refusal.js";
import type { ServerLogin } from "./server-login.js";
import type { Service } from "./service.js";
import { Elapsed } from "./within.js";

export interface HoldOptions {
  readonly service: Service;
  /** As it is now; undefined: the service is not here any more. */
  readonly endpoint: () => Endpoint | undefined;
  readonly who: Omit<WakeRequest, "failed">;
  /** Role and database, for the line of those that wait for a backend. */
  readonly pair: string;
  readonly logIn: (endpoint: Endpoint, signal: AbortSignal) => Promise<ServerLogin>;
  readonly serverLoginMs: number;
  readonly clock: Clock;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

export type Connected = ServerLogin & { readonly kind: "in" };

/**
 * Afterwards the session is on the way to its server in the gate's count, and `leave` is the caller's to call.
 * @throws Refused, RefusedByServer, the signal's reason
 */
export async function reachServer(o: HoldOptions): Promise<Connected> {
  const began = o.clock.now();
  const ticket = o.service.backends.takeTicket();
  let failed: string | null = null;
  let words: Buffer | null = null;
  for (let attempt = 0; ; attempt++) {
    const endpoint = o.endpoint();
    if (endpoint === undefined) throw removed();
    const left = () => began + endpoint.holdMs - o.clock.now();
    try {
      if (o.service.backends.isCrowded(o.pair, ticket) || words !== null) {
        await o.service.backends.wait(o.pair, ticket, { ms: left(), signal: o.signal });
      }
      await o.service.gate.pass({ ...o.who, failed }, { ms: left(), signal: o.signal });
    } catch (error) {
      throw asRefusal(error, { endpoint, failed, words: words ?? o.service.backends.lastWords });
    }
    const login = await tryOnce(o, endpoint, left());
    words = null;
    switch (login.kind) {
      case "in":
        o.service.backends.admitted(o.pair);
        return login;
      case "refused":
        throw new RefusedByServer(login.words, login.sqlstate);
      case "full":
        o.service.backends.turnedAway(login.words);
        words = login.words;
        failed = null;
        continue;
      case "down":
      case "busy":
        failed = login.kind === "down" ? login.failed : null;
        await rest(o, attempt, left(), () => tookTooLong(endpoint, login.failed));
    }
  }
}

/** One attempt. A server that hangs is given up after a while, even when the hold limit is shorter than that: the wait
 *  in line and the login itself are no hold. Unless the answer is "in", the session is not on the way any more. */
async function tryOnce(o: HoldOptions, endpoint: Endpoint, leftMs: number): Promise<ServerLogin> {
  const ms = Math.max(leftMs, o.serverLoginMs);
  let entered = false;
  let login: ServerLogin | null = null;
  try {
    await o.service.logins.enter({ ms, signal: o.signal });
    entered = true;
    login = await limited(o, (signal) => o.logIn(endpoint, signal));
    return login;
  } catch (error) {
    if (!(error instanceof Elapsed)) throw error;
    login = { kind: "down", failed: "ETIMEDOUT" };
    return login;
  } finally {
    if (entered) o.service.logins.leave();
    if (login?.kind !== "in") o.service.gate.leave();
  }
}

/** Ends the work itself, not only the wait for it, when the time is over or the client goes away. */
async function limited<T>(o: HoldOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Elapsed(o.serverLoginMs)), o.serverLoginMs);
  const left = () => limit.abort(o.signal.reason);
  o.signal.addEventListener("abort", left, { once: true });
  try {
    o.signal.throwIfAborted();
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    o.signal.removeEventListener("abort", left);
  }
}

async function rest(o: HoldOptions, attempt: number, leftMs: number, late: () => Refused): Promise<void> {
  const waitMs = backoffMs(attempt, 20, 500);
  if (waitMs > leftMs) throw late();
  await o.clock.sleep(waitMs, o.signal);
}

function asRefusal(error: unknown, o: { endpoint: Endpoint; failed: string | null; words: Buffer | null }): unknown {
  if (error instanceof Elapsed) {
    return o.words === null
      ? tookTooLong(o.endpoint, o.failed)
      : new RefusedByServer(o.words, SQLSTATES.tooManyConnections);
  }
  const sqlstate = sqlstateOf(error);
  return sqlstate !== null && error instanceof Error ? refusedByControl(error, sqlstate) : error;
}

function tookTooLong(endpoint: Endpoint, failed: string | null): Refused {
  const message = `service "${endpoint.title}" took no connection within ${formatDuration(endpoint.holdMs)}`;
  return new Refused("hold-limit", SQLSTATES.cannotConnectNow, message, {
    hint: `Try again; 'howdah services show ${endpoint.title}' tells what it is waiting for.`,
    ...(failed === null ? {} : { detail: `The last attempt ended with ${failed}.` }),
  });
}

function removed(): Refused {
  return new Refused("unavailable", SQLSTATES.cannotConnectNow, "this service was removed");
}
