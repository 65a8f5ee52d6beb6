/** The parameters that say when a service sleeps and how clients may reach it, turned into spec's terms and back. */
import { z } from "zod";
import type { ServiceView } from "../control/types.js";
import { formatDuration } from "../kernel/durations.js";
import {
  checkEndpointPolicy,
  DEFAULT_FLASH_TIMEOUT_MS,
  type EndpointPolicy,
  LOOPBACK_ENDPOINT,
  type Mode,
  parseFlashTimeout,
  parseHold,
  parseListen,
  parseNetworks,
  parseSsl,
  REGULAR,
  type Ssl,
} from "../spec/index.js";
import { invalidParameter, ofParameter } from "./parameter-error.js";

const SSL_WORDS = ["disable", "allow", "require", "off", "prefer"] as const;
/** Temps's word for each of ours. */
const TEMPS_SSL = { off: "disable", allow: "allow", require: "require" } as const satisfies Record<Ssl, string>;

const duration = (description: string) => z.union([z.number().min(0), z.string().max(64)]).describe(description);
const ssl = (description: string) => z.enum(SSL_WORDS).describe(description);

/** Fields of the parameters' schema. */
export const ENDPOINT_PARAMETERS = {
  mode: z
    .enum(["regular", "flash"])
    .describe(
      "regular: the server always runs (default). flash: it sleeps when no client is connected, and wakes on connect.",
    ),
  timeout: duration(
    "flash only: how long without a client until it sleeps; seconds, or text such as 3s or 2m. Default: 10 s.",
  ),
  listen: z
    .string()
    .max(64)
    .describe("IP address to listen on; * is all of them. Beyond 127.0.0.1 it needs TLS. Default: 127.0.0.1."),
  ssl_mode: ssl(
    "TLS of the endpoint: disable (or off), allow (or prefer), require. Default: disable on 127.0.0.1, require beyond.",
  ),
  ssl: ssl("Another name for ssl_mode."),
  allow: z
    .union([z.string().max(16_384), z.array(z.string().max(64))])
    .describe(
      "Addresses and networks that clients may come from, with commas between: 10.0.0.0/8,192.168.1.7. Empty: any.",
    ),
  hold: duration(
    "How long a client waits while its server wakes, restarts or has no connection free, before it gets an error. Default: 1 min.",
  ),
} as const;

type Given = {
  readonly [K in keyof typeof ENDPOINT_PARAMETERS]?: z.infer<(typeof ENDPOINT_PARAMETERS)[K]> | undefined;
};

/** undefined: nothing is said. `timeout` alone changes a service that sleeps already. Throws INVALID_INPUT. */
export function modeFrom(given: Given, current: Mode = REGULAR): Mode | undefined {
  const { mode, timeout } = given;
  if (mode === undefined && timeout === undefined) return undefined;
  const wanted = timeout === undefined ? undefined : ofParameter("timeout", () => parseFlashTimeout(timeout));
  const kept = current.kind === "flash" ? current.timeoutMs : undefined;
  if ((mode ?? current.kind) === "flash") {
    return { kind: "flash", timeoutMs: wanted ?? kept ?? DEFAULT_FLASH_TIMEOUT_MS };
  }
  // What `parametersOf` showed comes back beside a changed mode; anything else would be lost without a word.
  if (wanted !== undefined && wanted !== kept) {
    const hint = mode === undefined ? "Add mode=flash to let it sleep." : "Leave it out, or write mode=flash.";
    throw invalidParameter("timeout", "only a service with mode=flash has one", hint);
  }
  return REGULAR;
}

/** Only what is said; undefined when that is nothing. Throws INVALID_INPUT, also for what does not fit to the rest. */
export function policyFrom(
  given: Given,
  current?: Pick<ServiceView, "policy" | "ssl">,
): Partial<EndpointPolicy> | undefined {
  const { listen, allow, hold } = given;
  const policy: Partial<EndpointPolicy> = {};
  if (listen !== undefined) policy.listen = ofParameter("listen", () => parseListen(listen));
  if (allow !== undefined) {
    const texts = typeof allow === "string" ? allow.split(",") : allow;
    policy.allow = ofParameter("allow", () => parseNetworks(texts));
  }
  if (hold !== undefined) policy.holdMs = ofParameter("hold", () => parseHold(hold));
  const wanted = sslOf(given);
  const moves = policy.listen !== undefined && policy.listen !== current?.policy.listen;
  // As shown and sent back: it must not pin down what follows from the address.
  if (wanted !== undefined && (moves || wanted !== current?.ssl)) policy.ssl = wanted;
  if (Object.keys(policy).length === 0) return undefined;
  ofParameter("ssl_mode", () => checkEndpointPolicy({ ...(current?.policy ?? LOOPBACK_ENDPOINT), ...policy }));
  return policy;
}

export function endpointParametersOf(view: Pick<ServiceView, "mode" | "policy" | "ssl">): Record<string, string> {
  return {
    mode: view.mode.kind,
    ...(view.mode.kind === "flash" ? { timeout: formatDuration(view.mode.timeoutMs) } : {}),
    listen: view.policy.listen,
    ssl_mode: tempsSsl(view.ssl),
    allow: view.policy.allow.join(","),
    hold: formatDuration(view.policy.holdMs),
  };
}

export function tempsSsl(ssl: Ssl): (typeof TEMPS_SSL)[Ssl] {
  return TEMPS_SSL[ssl];
}

function sslOf({ ssl_mode: mode, ssl: short }: Given): Ssl | undefined {
  const said = [mode, short].flatMap((word) => (word === undefined ? [] : [parseSsl(word)]));
  if (new Set(said).size > 1) {
    throw invalidParameter("ssl", "it is given twice, also as 'ssl_mode', with another value");
  }
  return said[0];
}
