import { MalformedMessage } from "./failure.js";

/** The other side may have been taken over by a stranger: a line without an end must not eat the memory. */
export const MAX_LINE_BYTES = 1_048_576;
const NEWLINE = 0x0a;

/** Puts chunks together to lines, however they were cut. Throws MalformedMessage on a line that is too long. */
export class LineReader {
  #parts: Buffer[] = [];
  #size = 0;
  readonly #maxBytes: number;

  constructor(maxBytes = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that are complete now, without their ends. */
  *push(chunk: Buffer): Generator<string> {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#add(chunk.subarray(from, end));
      from = end + 1;
      yield this.#take();
    }
    this.#add(chunk.subarray(from));
  }

  #add(part: Buffer): void {
    if (part.length === 0) return;
    this.#size += part.length;
    if (this.#size > this.#maxBytes) throw new MalformedMessage(`a line is longer than ${this.#maxBytes} bytes`);
    this.#parts.push(part);
  }

  #take(): string {
    const line = (this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts))?.toString("utf8") ?? "";
    this.#parts = [];
    this.#size = 0;
    return line;
  }
}
