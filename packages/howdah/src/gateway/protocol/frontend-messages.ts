/** What the gateway says to a server as its client, from the first byte to the end of the login. */
import { CANCEL_REQUEST, MAX_CANCEL_SECRET_BYTES, MIN_CANCEL_SECRET_BYTES, PROTOCOL_MAJOR } from "./first-message.js";
import { encodeMessage, int32, zeroTerminated } from "./message.js";

/** @throws RangeError when a name is empty or a text holds a zero byte: the server would read other parameters. */
export function startupMessage(parameters: ReadonlyMap<string, string>, minor: number): Buffer {
  const parts: Buffer[] = [int32((PROTOCOL_MAJOR << 16) | minor)];
  for (const [name, value] of parameters) {
    if (name === "") throw new RangeError("a startup parameter has no name");
    parts.push(zeroTerminated(name), zeroTerminated(value));
  }
  return withLength(...parts, Buffer.of(0));
}

/** SASLInitialResponse; data null: without an initial response. */
export function saslInitialResponse(mechanism: string, data: Buffer | null): Buffer {
  return encodeMessage("p", zeroTerminated(mechanism), int32(data?.length ?? -1), data ?? Buffer.alloc(0));
}

export function saslResponse(data: Buffer): Buffer {
  return encodeMessage("p", data);
}

/** @param secret as BackendKeyData gave it: 4 to 256 bytes */
export function cancelRequest(pid: number, secret: Buffer): Buffer {
  if (secret.length < MIN_CANCEL_SECRET_BYTES || secret.length > MAX_CANCEL_SECRET_BYTES) {
    throw new RangeError("a cancellation secret has 4 to 256 bytes");
  }
  return withLength(int32(CANCEL_REQUEST), int32(pid), secret);
}

function withLength(...parts: readonly Buffer[]): Buffer {
  const rest = Buffer.concat(parts);
  return Buffer.concat([int32(4 + rest.length), rest]);
}
