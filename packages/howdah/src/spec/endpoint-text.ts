/**
 * How people write what `endpoint.ts` holds, the same at every door: `localhost`, `10s`, `10.0.0.0/8`, `prefer`. Each
 * throws INVALID_INPUT with a fact that quotes what was written; the door adds where it stood.
 */
import { isIP } from "node:net";
import { formatDuration, parseDuration } from "../kernel/durations.js";
import { HowdahError } from "../kernel/errors.js";
import { isNetwork } from "./addresses.js";
import type { Ssl } from "./endpoint.js";

const MIN_TIMEOUT_MS = 1_000;
const MAX_TIMEOUT_MS = 86_400_000;
const MAX_HOLD_MS = 3_600_000;
const MAX_NETWORKS = 256;
/** Names that stand for addresses, as in PostgreSQL's own listen_addresses. */
const ADDRESSES: ReadonlyMap<string, string> = new Map([
  ["localhost", "127.0.0.1"],
  ["*", "0.0.0.0"],
]);
/** `disable` and `require` are Temps's and libpq's words, `prefer` is libpq's for "as the other side likes". */
const SSL_WORDS: ReadonlyMap<string, Ssl> = new Map([
  ["off", "off"],
  ["disable", "off"],
  ["allow", "allow"],
  ["prefer", "allow"],
  ["require", "require"],
]);

/** The IP address to listen on. */
export function parseListen(text: string): string {
  const written = text.trim();
  const address = ADDRESSES.get(written.toLowerCase()) ?? written;
  // A zone (`fe80::1%eth0`) is an interface's name, which no other machine shares.
  if (isIP(address) !== 0 && !address.includes("%")) return address;
  throw refused(`'${text}' is not an IP address`, "Write an address of this machine, 127.0.0.1, or 0.0.0.0 for all.");
}

export function parseSsl(text: string): Ssl {
  const ssl = SSL_WORDS.get(text.trim().toLowerCase());
  if (ssl !== undefined) return ssl;
  throw refused(
    `'${text}' is none of 'off', 'allow' and 'require'`,
    "Write off (or disable), allow (or prefer), or require.",
  );
}

/** Doubled ones once, in their order. None: any client may come. */
export function parseNetworks(texts: readonly string[]): string[] {
  const networks = [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ""))];
  const wrong = networks.find((network) => !isNetwork(network));
  if (wrong !== undefined) {
    throw refused(`'${wrong}' is not an address or a network`, "Write them as 192.168.1.7, 10.0.0.0/8 or fd00::/8.");
  }
  if (networks.length > MAX_NETWORKS) {
    throw refused(`${networks.length} networks are more than ${MAX_NETWORKS}`, "Join neighbours to larger networks.");
  }
  return networks;
}

/** Milliseconds that a flash service stays awake without a connection. A number is seconds. */
export function parseFlashTimeout(value: string | number): number {
  return within(value, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS);
}

/** Milliseconds that a client is held. A number is seconds. */
export function parseHold(value: string | number): number {
  return within(value, 0, MAX_HOLD_MS);
}

function within(value: string | number, min: number, max: number): number {
  const ms = parseDuration(String(value));
  if (ms >= min && ms <= max) return ms;
  throw refused(
    `'${value}' is not from ${formatDuration(min)} to ${formatDuration(max)}`,
    "Write seconds, or a number and a unit, such as 30s or 5m.",
  );
}

function refused(fact: string, hint: string): HowdahError {
  return new HowdahError("INVALID_INPUT", fact, { hint });
}
