/**
 * One end of a splice: a socket seen as what a splice needs of it. Two kinds: `StreamEnd` goes through Node's public
 * streams, as a TLS client must, whose bytes pass a cipher in there; `RawEnd` (raw-end.ts) goes past them.
 */
import type { Socket } from "node:net";

export interface EndEvents {
  /** The bytes are the receiver's to keep. */
  chunk(bytes: Buffer): void;
  /** What `write` had to queue has left. */
  drained(): void;
  /** The peer closed its half. */
  ended(): void;
  /** All that was written has left, and so has our FIN. */
  finished(): void;
  /** Writing has become impossible; reading may still bring what the peer said last. */
  broken(): void;
  /** The socket is closed. Comes last, and once. */
  closed(): void;
}

export interface End {
  /** First call: begins to read. What was read before, and what happened before, is told now. */
  start(events: EndEvents): void;
  /** False: it had to be queued, `drained` tells when it has left. Dropped when nothing can be written any more. */
  write(bytes: Buffer): boolean;
  pause(): void;
  resume(): void;
  /** Sends a FIN behind what is queued. */
  end(): void;
  destroy(): void;
}

/** Wires a socket's lifecycle; the same for both kinds of end. */
export function tellLifecycle(socket: Socket, events: EndEvents): void {
  // A reset is the end of a connection like any other: 'close' follows, and that is what counts.
  socket.on("error", () => undefined);
  socket.once("finish", () => events.finished());
  if (socket.readableEnded) process.nextTick(() => events.ended());
  else socket.once("end", () => events.ended());
  if (socket.closed) process.nextTick(() => events.closed());
  else socket.once("close", () => events.closed());
}

export class StreamEnd implements End {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Half-open, or Node would end our half by itself as soon as the peer has ended its own.
    socket.allowHalfOpen = true;
  }

  start(events: EndEvents): void {
    tellLifecycle(this.#socket, events);
    this.#socket.on("drain", () => events.drained());
    this.#socket.on("data", (bytes: Buffer) => events.chunk(bytes));
    this.#socket.resume();
  }

  write(bytes: Buffer): boolean {
    return !this.#socket.writable || this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
