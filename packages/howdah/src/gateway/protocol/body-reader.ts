/** Reads the body of one message from front to back. Every step checks its bounds first and fails with the words of
 *  PostgreSQL's pqformat.c, so no decoder built on it can read beyond its message. */
import { decodeText } from "./text.js";
import { ProtocolViolation } from "./violation.js";

export class BodyReader {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get remaining(): number {
    return this.#body.length - this.#at;
  }

  byte(): number {
    const value = this.#body[this.#at];
    if (value === undefined) throw new ProtocolViolation("no data left in message");
    this.#at += 1;
    return value;
  }

  int32(): number {
    if (this.remaining < 4) throw new ProtocolViolation("insufficient data left in message");
    const value = this.#body.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** Text up to the next zero byte, which is passed. */
  string(): string {
    const end = this.#body.indexOf(0, this.#at);
    // indexOf with an offset beyond the end answers -1, too
    if (end < 0) throw new ProtocolViolation("invalid string in message");
    const value = decodeText(this.#body.subarray(this.#at, end));
    this.#at = end + 1;
    return value;
  }

  /** A copy, so that a secret that is kept does not keep the whole chunk it came in. */
  bytes(length: number): Buffer {
    if (length < 0 || length > this.remaining) throw new ProtocolViolation("insufficient data left in message");
    const value = Buffer.from(this.#body.subarray(this.#at, this.#at + length));
    this.#at += length;
    return value;
  }

  rest(): Buffer {
    return this.bytes(this.remaining);
  }

  end(): void {
    if (this.remaining !== 0) throw new ProtocolViolation("invalid message format");
  }
}
