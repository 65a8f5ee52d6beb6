import type { WireMode, WireService, WireSleep } from "../../api/client/types.js";
import { formatDuration } from "../../kernel/durations.js";
import { isLoopback } from "../../spec/addresses.js";
import { humanAge, humanDate, humanDuration } from "./dates.js";

type Pair = readonly [string, string | undefined];

/** For a column: `regular`, `flash 10s`. */
export function shortMode(mode: WireMode): string {
  return mode.timeout_ms === undefined ? mode.kind : `${mode.kind} ${formatDuration(mode.timeout_ms)}`;
}

/** What a service does when nobody needs it, and why it is awake or since when it is not. */
export function sleepPairs(mode: WireMode, sleep: WireSleep, now: number): Pair[] {
  const { last_wake_ms: wakeMs, last_wake_at: wakeAt, asleep_since: since } = sleep;
  const when = (at: string): string => `${humanDate(at)} (${humanAge(at, now)})`;
  const sleeps = mode.kind === "flash" || sleep.wakes > 0;
  return [
    ["Mode", describeMode(mode)],
    ["Awake", sleep.awake_because ?? undefined],
    ["Asleep", since === null ? undefined : `since ${when(since)}`],
    [
      "Last wake",
      wakeMs === null ? undefined : `${humanDuration(wakeMs)}${wakeAt === null ? "" : `, ${when(wakeAt)}`}`,
    ],
    ["Wakes", sleeps ? String(sleep.wakes) : undefined],
    ["Time asleep", sleeps ? `${humanDuration(sleep.asleep_ms)} in all` : undefined],
  ];
}

/** How clients reach it, and how many do. */
export function endpointPairs(service: WireService): Pair[] {
  const { endpoint, listen, allow } = service;
  const reachable = isReachable(service);
  return [
    ["Endpoint", `${endpoint.host}:${endpoint.port}`],
    ["Listens on", `${listen} (${reachOf(listen)})`],
    ["Clients from", allow.length > 0 ? allow.join(", ") : reachable ? "anywhere" : undefined],
    ["TLS", TLS[service.ssl_mode]],
    ["Hold", `clients wait up to ${formatDuration(service.hold_ms)} for the server`],
    ["Connections", String(service.sleep.connections)],
  ];
}

/** Whether other machines can reach it. */
export function isReachable(service: Pick<WireService, "listen">): boolean {
  return !isLoopback(service.listen);
}

export function isEverywhere(listen: string): boolean {
  return /^(0\.0\.0\.0|[0:]+)$/.test(listen);
}

const TLS = {
  disable: "off",
  allow: "as the client asks for",
  require: "required",
} as const satisfies Record<WireService["ssl_mode"], string>;

function reachOf(listen: string): string {
  if (isLoopback(listen)) return "this machine only";
  return isEverywhere(listen) ? "every address of this machine" : "reachable from other machines";
}

function describeMode(mode: WireMode): string {
  if (mode.timeout_ms === undefined) return `${mode.kind}: the server always runs`;
  return `${mode.kind}: sleeps after ${formatDuration(mode.timeout_ms)} without a client`;
}
