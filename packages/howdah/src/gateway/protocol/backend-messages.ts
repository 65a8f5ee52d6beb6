/** What the gateway says to a client in the server's place, until the server speaks itself. */
import { PROTOCOL_MAJOR } from "./first-message.js";
import { encodeMessage, int32, zeroTerminated } from "./message.js";

/** Authentication request codes, the first field of every "R" message. */
export const AUTHENTICATION = { OK: 0, MD5_PASSWORD: 5, SASL: 10, SASL_CONTINUE: 11, SASL_FINAL: 12 } as const;

/** The one-byte answers to SSLRequest and GSSENCRequest ("N" refuses both). */
export const SSL_ACCEPTED: Buffer = Buffer.from("S", "latin1");
export const SSL_REFUSED: Buffer = Buffer.from("N", "latin1");

const MD5_SALT_BYTES = 4;
/** A message that libpq believes during login is at most 30,000 bytes long; three such texts fit in any encoding. */
const MAX_ERROR_TEXT = 2_000;
const SQLSTATE = /^[0-9A-Z]{5}$/;

export interface ErrorFields {
  readonly severity: "FATAL" | "ERROR";
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** AuthenticationSASL: the mechanisms that may be used, the preferred one first. */
export function authenticationSasl(mechanisms: readonly string[]): Buffer {
  return encodeMessage("R", int32(AUTHENTICATION.SASL), ...mechanisms.map(zeroTerminated), Buffer.of(0));
}

/** AuthenticationSASLContinue with the mechanism's own data; empty to ask for an initial response that did not come. */
export function authenticationSaslContinue(data: Buffer): Buffer {
  return encodeMessage("R", int32(AUTHENTICATION.SASL_CONTINUE), data);
}

export function authenticationSaslFinal(data: Buffer): Buffer {
  return encodeMessage("R", int32(AUTHENTICATION.SASL_FINAL), data);
}

export function authenticationOk(): Buffer {
  return encodeMessage("R", int32(AUTHENTICATION.OK));
}

/** @param salt four random bytes */
export function authenticationMd5Password(salt: Buffer): Buffer {
  if (salt.length !== MD5_SALT_BYTES) throw new RangeError("an md5 salt has four bytes");
  return encodeMessage("R", int32(AUTHENTICATION.MD5_PASSWORD), salt);
}

/** ErrorResponse. Zero bytes in texts become "?", long texts are cut, a code that is no SQLSTATE becomes XX000, so that
 *  an error about an error cannot happen. */
export function errorResponse(error: ErrorFields): Buffer {
  const fields: [string, string | undefined][] = [
    ["S", error.severity],
    ["V", error.severity],
    ["C", SQLSTATE.test(error.sqlstate) ? error.sqlstate : "XX000"],
    ["M", error.message],
    ["D", error.detail],
    ["H", error.hint],
  ];
  const parts = fields.flatMap(([type, text]) =>
    text === undefined ? [] : [Buffer.from(type, "latin1"), zeroTerminated(presentable(text))],
  );
  return encodeMessage("E", ...parts, Buffer.of(0));
}

/** NegotiateProtocolVersion: the newest version we speak (as PostgreSQL and libpq do, the whole version, not only its
 *  minor part as the manual says) and the options that we do not know. */
export function negotiateProtocolVersion(minor: number, unknownOptions: readonly string[]): Buffer {
  const version = (PROTOCOL_MAJOR << 16) | minor;
  return encodeMessage("v", int32(version), int32(unknownOptions.length), ...unknownOptions.map(zeroTerminated));
}

function presentable(text: string): string {
  return text.slice(0, MAX_ERROR_TEXT).replaceAll("\0", "?");
}
