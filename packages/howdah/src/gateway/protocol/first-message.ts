/**
 * What a client sends first, without a type byte: a request for encryption, for cancellation, or the startup packet.
 *
 *     [int32 length: itself + all][int32 code or protocol version][rest]
 *
 *     SSLRequest, GSSENCRequest   length 8, nothing more
 *     CancelRequest               [int32 pid][secret: 4 bytes in 3.0, up to 256 in 3.2]
 *     StartupMessage              [name\0 value\0]… \0
 *
 * Strangers send it, so the length is judged as soon as its four bytes are there, and nothing is kept or allocated for a
 * length that PostgreSQL would refuse (ProcessStartupPacket in backend_startup.c, whose errors these are).
 */
import { decodeText } from "./text.js";
import { FEATURE_NOT_SUPPORTED, INVALID_AUTHORIZATION, ProtocolViolation } from "./violation.js";

export type FirstMessage =
  | { readonly kind: "ssl-request" }
  | { readonly kind: "gss-request" }
  | { readonly kind: "cancel"; readonly pid: number; readonly secret: Buffer }
  | {
      readonly kind: "startup";
      /** As the client asked for it; above LATEST_MINOR it is to be told the one it gets. */
      readonly minor: number;
      /** Of a name that comes twice the last value counts. `user` is there and not empty. */
      readonly parameters: ReadonlyMap<string, string>;
      /** Names that begin with `_pq_.`: options of the protocol, none of which exists yet. */
      readonly unknownOptions: readonly string[];
    };

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
export const CANCEL_REQUEST = 80_877_102;
export const PROTOCOL_MAJOR = 3;
const LATEST_MINOR = 2;
/** Length of a cancellation secret in protocol 3.0, and the longest in 3.2. */
export const MIN_CANCEL_SECRET_BYTES = 4;
export const MAX_CANCEL_SECRET_BYTES = 256;

const LENGTH_BYTES = 4;
/** Length and code. */
const HEADER_BYTES = 8;
/** PostgreSQL's MAX_STARTUP_PACKET_LENGTH, which does not count the length field itself. */
const MAX_PACKET_BYTES = LENGTH_BYTES + 10_000;
const CANCEL_HEADER_BYTES = 12;
const OPTION_PREFIX = "_pq_.";
const TLS_HANDSHAKE = 0x16;

/** Does a connection begin with a TLS ClientHello instead of a message? As a length it would be hundreds of megabytes. */
export function isTlsHello(firstByte: number | undefined): boolean {
  return firstByte === TLS_HANDSHAKE;
}

/**
 * The first message that the buffer begins with, and the bytes it takes; null when more bytes are needed.
 * @throws ProtocolViolation with PostgreSQL's message: 08P01 for lengths and layout, 0A000 for a protocol other than 3,
 *   28000 without a user
 */
export function parseFirstMessage(buffer: Buffer): { message: FirstMessage; length: number } | null {
  if (buffer.length < LENGTH_BYTES) return null;
  const length = buffer.readInt32BE(0);
  if (length < HEADER_BYTES || length > MAX_PACKET_BYTES) throw invalidLength();
  if (buffer.length < HEADER_BYTES) return null;
  const code = buffer.readUInt32BE(4);
  checkCode(code, length);
  if (buffer.length < length) return null;
  return { message: parseWhole(buffer.subarray(0, length), code), length };
}

/** What the code alone says is decided before the rest is waited for. */
function checkCode(code: number, length: number): void {
  if (code === SSL_REQUEST || code === GSS_REQUEST) {
    if (length !== HEADER_BYTES) throw invalidLength();
    return;
  }
  if (code === CANCEL_REQUEST) {
    const secret = length - CANCEL_HEADER_BYTES;
    if (secret < MIN_CANCEL_SECRET_BYTES || secret > MAX_CANCEL_SECRET_BYTES) {
      throw new ProtocolViolation("invalid length of cancel request packet");
    }
    return;
  }
  const major = code >>> 16;
  if (major !== PROTOCOL_MAJOR) {
    throw new ProtocolViolation(
      `unsupported frontend protocol ${major}.${code & 0xffff}: server supports ${PROTOCOL_MAJOR}.0 to ${PROTOCOL_MAJOR}.${LATEST_MINOR}`,
      { sqlstate: FEATURE_NOT_SUPPORTED },
    );
  }
}

function parseWhole(packet: Buffer, code: number): FirstMessage {
  switch (code) {
    case SSL_REQUEST:
      return { kind: "ssl-request" };
    case GSS_REQUEST:
      return { kind: "gss-request" };
    case CANCEL_REQUEST:
      return {
        kind: "cancel",
        pid: packet.readInt32BE(HEADER_BYTES),
        secret: Buffer.from(packet.subarray(CANCEL_HEADER_BYTES)),
      };
    default:
      return { kind: "startup", minor: code & 0xffff, ...parseParameters(packet) };
  }
}

function parseParameters(packet: Buffer): { parameters: Map<string, string>; unknownOptions: string[] } {
  const parameters = new Map<string, string>();
  const unknownOptions: string[] = [];
  const terminator = packet.length - 1;
  let at = HEADER_BYTES;
  while (at < packet.length && packet[at] !== 0) {
    const nameEnd = packet.indexOf(0, at);
    const valueEnd = nameEnd < 0 ? -1 : packet.indexOf(0, nameEnd + 1);
    if (valueEnd < 0) throw invalidLayout();
    const name = decodeText(packet.subarray(at, nameEnd));
    if (name.startsWith(OPTION_PREFIX)) unknownOptions.push(name);
    else parameters.set(name, decodeText(packet.subarray(nameEnd + 1, valueEnd)));
    at = valueEnd + 1;
  }
  if (at !== terminator) throw invalidLayout();
  if (!parameters.get("user")) {
    throw new ProtocolViolation("no PostgreSQL user name specified in startup packet", {
      sqlstate: INVALID_AUTHORIZATION,
    });
  }
  return { parameters, unknownOptions };
}

const invalidLength = () => new ProtocolViolation("invalid length of startup packet");
const invalidLayout = () => new ProtocolViolation("invalid startup packet layout: expected terminator as last byte");
