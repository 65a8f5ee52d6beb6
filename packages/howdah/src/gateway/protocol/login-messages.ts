/** Reads the bodies of the messages that either side sends until a session is logged in. All of them throw
 *  ProtocolViolation, and nothing else, on any bytes. What they answer holds copies, never views. */
import { AUTHENTICATION } from "./backend-messages.js";
import { BodyReader } from "./body-reader.js";
import { MAX_CANCEL_SECRET_BYTES, MIN_CANCEL_SECRET_BYTES, PROTOCOL_MAJOR } from "./first-message.js";
import { decodeText } from "./text.js";
import { ProtocolViolation } from "./violation.js";

export type Authentication =
  | { readonly kind: "ok" }
  | { readonly kind: "sasl"; readonly mechanisms: readonly string[] }
  | { readonly kind: "sasl-continue"; readonly data: Buffer }
  | { readonly kind: "sasl-final"; readonly data: Buffer }
  /** A method that the gateway does not log in with, by its number in the protocol (3 clear text, 5 md5, …). */
  | { readonly kind: "other"; readonly code: number };

/** Body of "p" when a mechanism is chosen. data null: the client sent no initial response, and is to be asked for it
 *  with an empty SASLContinue. */
export function parseSaslInitialResponse(body: Buffer): { mechanism: string; data: Buffer | null } {
  const reader = new BodyReader(body);
  const mechanism = reader.string();
  const length = reader.int32();
  const data = length === -1 ? null : reader.bytes(length);
  reader.end();
  return { mechanism, data };
}

/** Body of "p" with a password or an md5 response. An empty one is refused, as by PostgreSQL, with 28P01. */
export function parsePasswordMessage(body: Buffer): string {
  if (body.indexOf(0) !== body.length - 1 || body.length === 0) {
    throw new ProtocolViolation("invalid password packet size");
  }
  if (body.length === 1) throw new ProtocolViolation("empty password returned by client", { sqlstate: "28P01" });
  return decodeText(body.subarray(0, -1));
}

/** Body of "R". */
export function parseAuthentication(body: Buffer): Authentication {
  const reader = new BodyReader(body);
  const code = reader.int32();
  switch (code) {
    case AUTHENTICATION.OK:
      reader.end();
      return { kind: "ok" };
    case AUTHENTICATION.SASL:
      return { kind: "sasl", mechanisms: stringsToTheEnd(reader) };
    case AUTHENTICATION.SASL_CONTINUE:
      return { kind: "sasl-continue", data: reader.rest() };
    case AUTHENTICATION.SASL_FINAL:
      return { kind: "sasl-final", data: reader.rest() };
    default:
      return { kind: "other", code };
  }
}

/** Body of "E". Fields that are missing come as FATAL, XX000, empty or null; unknown ones are passed over. */
export function parseErrorResponse(body: Buffer): {
  severity: string;
  sqlstate: string;
  message: string;
  detail: string | null;
  hint: string | null;
} {
  const reader = new BodyReader(body);
  const fields = new Map<string, string>();
  for (let type = reader.byte(); type !== 0; type = reader.byte()) {
    fields.set(String.fromCharCode(type), reader.string());
  }
  reader.end();
  return {
    // V is never translated, S may be
    severity: fields.get("V") ?? fields.get("S") ?? "FATAL",
    sqlstate: fields.get("C") ?? "XX000",
    message: fields.get("M") ?? "",
    detail: fields.get("D") ?? null,
    hint: fields.get("H") ?? null,
  };
}

/** Body of "K": what a CancelRequest for this session must carry. */
export function parseBackendKeyData(body: Buffer): { pid: number; secret: Buffer } {
  const reader = new BodyReader(body);
  const pid = reader.int32();
  const secret = reader.rest();
  if (secret.length < MIN_CANCEL_SECRET_BYTES || secret.length > MAX_CANCEL_SECRET_BYTES) {
    throw new ProtocolViolation("invalid length of cancel key");
  }
  return { pid, secret };
}

/** Body of "S". */
export function parseParameterStatus(body: Buffer): { name: string; value: string } {
  const reader = new BodyReader(body);
  const name = reader.string();
  const value = reader.string();
  reader.end();
  return { name, value };
}

/** Body of "v". The version comes whole (3 << 16 | minor) from PostgreSQL, as its minor part alone from others. */
export function parseNegotiateProtocolVersion(body: Buffer): { minor: number; unknownOptions: string[] } {
  const reader = new BodyReader(body);
  const version = reader.int32();
  const major = version >> 16;
  if (major !== 0 && major !== PROTOCOL_MAJOR) throw new ProtocolViolation("invalid protocol version in message");
  const count = reader.int32();
  // every option takes a byte at least, so a count beyond what is left is no count
  if (count < 0 || count > reader.remaining) throw new ProtocolViolation("insufficient data left in message");
  const unknownOptions: string[] = [];
  for (let i = 0; i < count; i++) unknownOptions.push(reader.string());
  reader.end();
  return { minor: version & 0xffff, unknownOptions };
}

/** Strings up to an empty one, which must be the last. */
function stringsToTheEnd(reader: BodyReader): string[] {
  const strings: string[] = [];
  for (let text = reader.string(); text !== ""; text = reader.string()) strings.push(text);
  reader.end();
  return strings;
}
