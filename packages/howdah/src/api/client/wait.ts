import { setTimeout as delay } from "node:timers/promises";
import { HowdahError, isHowdahError } from "../../kernel/errors.js";
import type { Transport } from "./transport.js";
import type { WireService, WireWait } from "./types.js";

/** One long poll at most; the server answers earlier when something changed. */
const POLL_MS = 20_000;
/** Between attempts while the control process is away: short, since a restart takes a fraction of a second. */
const AWAY_MS = 20;
/** Far longer than a restart takes: then somebody stopped it, and nobody brings it back while we only ask. */
const GONE_MS = 15_000;

interface WaitOptions {
  readonly timeoutMs: number;
  readonly onChange?: (service: WireService) => void;
  readonly signal?: AbortSignal;
}

/**
 * Follows a service until the wish came true. The control process may be killed and come back meanwhile: its state is
 * durable, so asking again is enough. null: the service is gone (a removal may be over before the first question).
 * Throws TIMEOUT, SERVER_UNREACHABLE when it stays away, and whatever reason the server gives for a failed wish.
 */
export async function waitForService(
  transport: Transport,
  id: number,
  options: WaitOptions,
): Promise<WireService | null> {
  const deadline = Date.now() + options.timeoutMs;
  let last: WireService | undefined;
  let awaySince: number | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    const leftMs = deadline - Date.now();
    if (leftMs <= 0) throw timedOut(id, last, options.timeoutMs);
    try {
      const answer = await transport.json<WireWait>({
        method: "GET",
        path: `/external-services/${id}/wait`,
        query: {
          timeout_ms: Math.min(leftMs, POLL_MS),
          // Without `since` the server answers at the end only.
          since: options.onChange === undefined ? undefined : last === undefined ? "" : stateOf(last),
        },
        timeoutMs: POLL_MS + 10_000,
        signal: options.signal,
      });
      awaySince = undefined;
      if (answer.service !== null && (last === undefined || stateOf(answer.service) !== stateOf(last))) {
        options.onChange?.(answer.service);
      }
      if (answer.done) return answer.service;
      last = answer.service ?? last;
    } catch (error) {
      // Seen alive and not meant to go: then its disappearance is no success.
      const wishedAway = last === undefined || last.desired === "deleted";
      if (isHowdahError(error, "SERVICE_NOT_FOUND") && wishedAway) return null;
      if (!isAway(error)) throw error;
      awaySince ??= Date.now();
      if (deadline - Date.now() <= AWAY_MS || Date.now() - awaySince > GONE_MS) throw error;
      await delay(AWAY_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}

/** What `since` is compared with: a change of either part is worth telling. */
function stateOf(service: Pick<WireService, "status" | "status_detail">): string {
  return `${service.status}|${service.status_detail ?? ""}`;
}

function isAway(error: unknown): boolean {
  // A socket that this user may not open does not open later either.
  return isHowdahError(error, "SERVER_UNREACHABLE") && !["EACCES", "EPERM"].includes(String(error.fields["errno"]));
}

function timedOut(id: number, last: WireService | undefined, timeoutMs: number): HowdahError {
  const name = last === undefined ? `service ${id}` : `service '${last.name}'`;
  const state = last === undefined ? "not ready" : `'${last.status}'`;
  const detail = last?.status_detail ? ` (${last.status_detail})` : "";
  return new HowdahError("TIMEOUT", `${name} is still ${state}${detail} after ${Math.round(timeoutMs / 1_000)} s`, {
    fields: { id },
  });
}
