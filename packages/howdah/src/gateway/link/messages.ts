/** The shapes of everything that a gateway worker may tell control. */
import { type Check, flag, list, nullable, oneOf, record, text, whole } from "./check.js";
import type {
  ControlCalls,
  GatewayCalls,
  GatewayHello,
  GatewayNotices,
  GatewayStats,
  RefusalReason,
  SessionInfo,
} from "./contract.js";

/** Longer names do not exist in PostgreSQL (63 bytes), nor do longer addresses. The worker cuts what strangers sent. */
export const MAX_TEXT = 256;
const MAX_SERVICES = 100_000;
const MAX_SESSIONS = 100_000;

const id = whole(1, 2 ** 31 - 1);
const pid = whole(1, 2 ** 31 - 1);
const short = text(MAX_TEXT);
/** A key of protocol 3.2 has up to 256 bytes. */
const hexadecimal = text(512);
const count = whole();
const nothing: Check<Record<string, never>> = () => ({});

const REASONS: { readonly [R in RefusalReason]: true } = {
  protocol: true,
  timeout: true,
  overload: true,
  network: true,
  tls: true,
  password: true,
  role: true,
  "hold-limit": true,
  unavailable: true,
};
const reasons = Object.keys(REASONS) as RefusalReason[];

const hello = record<GatewayHello>({
  pid,
  version: short,
  startedAt: count,
  keeper: nullable(pid),
  draining: flag,
  sessions: list(record({ service: id, count }), MAX_SERVICES),
  listening: list(id, MAX_SERVICES),
});

const session = record<SessionInfo>({
  session: count,
  service: id,
  pid: nullable(pid),
  client: short,
  role: short,
  database: short,
  application: short,
  tls: flag,
  since: count,
  state: oneOf("held", "connected"),
});

const stats = record<GatewayStats>({
  unauthenticated: count,
  accepted: count,
  loggedIn: count,
  cancels: count,
  refused: record<Record<RefusalReason, number>>(
    Object.fromEntries(reasons.map((reason) => [reason, count])) as Record<RefusalReason, Check<number>>,
  ),
  bytesFromClients: count,
  bytesToClients: count,
  rss: count,
});

export const fromWorker: { readonly [M in keyof ControlCalls]: Check<ControlCalls[M]["params"]> } = {
  hello,
  verifier: record({ service: id, role: short }),
  wake: record({ service: id, role: short, client: short, application: short, failed: nullable(short) }),
};

export const notices: { readonly [N in keyof GatewayNotices]: Check<GatewayNotices[N]> } = {
  activity: record({ service: id, sessions: count }),
  cancel: record({ service: id, pid, secret: hexadecimal }),
  refused: record({ service: id, reason: oneOf(...reasons), count, client: short, role: nullable(short) }),
};

export const answersOfWorker: { readonly [M in keyof GatewayCalls]: Check<GatewayCalls[M]["result"]> } = {
  configure: nothing,
  remove: nothing,
  close: record({ sessions: count }),
  open: nothing,
  tls: nothing,
  sessions: record({ sessions: list(session, MAX_SESSIONS) }),
  stats,
  handover: record({ pid }),
  cancel: nothing,
  drain: nothing,
  end: nothing,
};
