import { z } from "zod";

/**
 * The value of an environment variable or a credential: literals, configs and properties of services, concatenated.
 * Every door turns its own notation (`${X}`, service-name hosts, …) into this one type; control resolves it, so a
 * Stack holds neither an address nor a stored secret.
 */
const SERVICE_PROPERTIES = ["host", "port", "username", "password", "database", "uri", "jdbc"] as const;
export type ServiceProperty = (typeof SERVICE_PROPERTIES)[number];

/** How the resolved text, the fallback's included, is written into its surroundings: `userinfo` percent-encodes it for
 *  the user part of a URI. Parts within a fallback are therefore `plain`. */
const Encoding = z.enum(["plain", "userinfo"]).default("plain");

export type Part =
  | { kind: "literal"; text: string; sensitive: boolean }
  | {
      kind: "config";
      name: string;
      encode: "plain" | "userinfo";
      fallback?: Expression | undefined;
      onEmpty: boolean;
      message?: string | undefined;
    }
  | { kind: "service"; service: string; property: ServiceProperty; encode: "plain" | "userinfo" };
export type Expression = Part[];

export const Expression: z.ZodType<Expression> = z.lazy(() => z.array(Part));
const Part: z.ZodType<Part> = z.discriminatedUnion("kind", [
  /** `sensitive`: looks like a secret written into the file; shown as ••• in plans. */
  z.strictObject({ kind: z.literal("literal"), text: z.string(), sensitive: z.boolean().default(false) }),
  /** `fallback`: used when the config is not set (`${X-y}`) or, with `onEmpty`, when it is set but empty (`${X:-y}`).
   *  Without a fallback a missing config is an error; `message` is what `${X:?message}` says. */
  z.strictObject({
    kind: z.literal("config"),
    name: z.string(),
    encode: Encoding,
    fallback: z.lazy(() => Expression).optional(),
    onEmpty: z.boolean().default(false),
    message: z.string().optional(),
  }),
  /** A property of a managed service of the same project. */
  z.strictObject({
    kind: z.literal("service"),
    service: z.string(),
    property: z.enum(SERVICE_PROPERTIES),
    encode: Encoding,
  }),
]) as unknown as z.ZodType<Part>;

export function literal(text: string, sensitive = false): Expression {
  return [{ kind: "literal", text, sensitive }];
}
