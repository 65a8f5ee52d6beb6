import { isIP } from "node:net";
import { z } from "zod";
import { HowdahError } from "../kernel/errors.js";
import { isLoopback, isNetwork } from "./addresses.js";

export { isLoopback } from "./addresses.js";

/** When a server runs: `regular` always, `flash` only while somebody is connected and `timeoutMs` longer. */
export const Mode = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("regular") }),
  z.strictObject({
    kind: z.literal("flash"),
    /** How long a service stays awake without any connection. */
    timeoutMs: z.int().min(1_000).max(86_400_000).default(10_000),
  }),
]);
export type Mode = z.infer<typeof Mode>;
export const REGULAR: Mode = { kind: "regular" };
export const DEFAULT_FLASH_TIMEOUT_MS = 10_000;

/** `off`: clear text only. `allow`: whatever the client asks for. `require`: clear text is refused. */
export const Ssl = z.enum(["off", "allow", "require"]);
export type Ssl = z.infer<typeof Ssl>;

/** An address with an optional prefix length: `10.0.0.0/8`, `192.168.1.7`, `fd00::/8`. */
const Network = z.string().refine(isNetwork, "not an address or a network such as 10.0.0.0/8");

/** How clients may reach a service. */
export const EndpointPolicy = z.strictObject({
  /** The address that is listened on; anything but a loopback address needs TLS. */
  listen: z
    .string()
    .refine((text) => isIP(text) !== 0, "not an IP address")
    .default("127.0.0.1"),
  /** null: `off` on a loopback address, `require` on any other. */
  ssl: Ssl.nullable().default(null),
  /** Networks that clients may come from; empty: any. */
  allow: z.array(Network).max(256).default([]),
  /** How long a client is held while its server wakes, restarts or has no connection free. */
  holdMs: z.int().min(0).max(3_600_000).default(60_000),
});
export type EndpointPolicy = z.infer<typeof EndpointPolicy>;
export const LOOPBACK_ENDPOINT: EndpointPolicy = EndpointPolicy.parse({});

export function effectiveSsl(policy: Pick<EndpointPolicy, "listen" | "ssl">): Ssl {
  return policy.ssl ?? (isLoopback(policy.listen) ? "off" : "require");
}

/** What other machines can reach must be encrypted. Throws INVALID_INPUT. */
export function checkEndpointPolicy(policy: EndpointPolicy): EndpointPolicy {
  const ssl = effectiveSsl(policy);
  if (isLoopback(policy.listen) || ssl === "require") return policy;
  throw new HowdahError("INVALID_INPUT", `listening on ${policy.listen} needs TLS, and ssl is '${ssl}'`, {
    hint: "Set ssl=require, or leave it out.",
    fields: { field: "ssl" },
  });
}
