/**
 * Ordinary messages, alike in both directions:
 *
 *     [type: 1 byte][int32 length: itself + body][body]
 */
import { encodeText } from "./text.js";
import { ProtocolViolation } from "./violation.js";

const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;

/** PostgreSQL's PG_MAX_SASL_MESSAGE_LENGTH: no SASL message of a client is longer. */
export const MAX_SASL_MESSAGE_BYTES = 1_024;
/** libpq's MAX_ERRLEN: during login no message of a server is longer. */
export const MAX_LOGIN_MESSAGE_BYTES = 30_000;

export interface Message {
  /** The type byte: 0x52 is "R". */
  readonly type: number;
  /** A view of the buffer that was given, not a copy. */
  readonly body: Buffer;
  /** Bytes that the whole message takes, header included. */
  readonly length: number;
}

/**
 * The message that the buffer begins with, or null when more bytes are needed.
 * @param maxBytes largest length field that is believed (it counts itself and the body)
 * @throws ProtocolViolation as soon as the header is there and its length is not to be believed
 */
export function parseMessage(buffer: Buffer, maxBytes: number): Message | null {
  if (buffer.length < HEADER_BYTES) return null;
  const length = buffer.readInt32BE(1);
  if (length < LENGTH_BYTES || length > maxBytes) throw new ProtocolViolation("invalid message length");
  const end = 1 + length;
  if (buffer.length < end) return null;
  return { type: buffer.readUInt8(0), body: buffer.subarray(HEADER_BYTES, end), length: end };
}

/** One message of the given type with the parts as its body. */
export function encodeMessage(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type, "latin1"), int32(LENGTH_BYTES + body.length), body]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value, 0);
  return bytes;
}

/** @throws RangeError when the text holds a zero byte: what follows it would be read as the next field. */
export function zeroTerminated(text: string): Buffer {
  if (text.includes("\0")) throw new RangeError("text for the wire holds a zero byte");
  return Buffer.concat([encodeText(text), Buffer.of(0)]);
}
