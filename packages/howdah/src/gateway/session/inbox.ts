/**
 * What one side of a connection has sent and nobody has read yet, during login. Bounded: a stranger who sends more than
 * a login needs is dropped, a client that is held is simply not read any further. Afterwards the socket is handed on
 * paused, with the bytes that are left.
 */
import type { Socket } from "node:net";
import { Dropped } from "./refusal.js";

const NOTHING = Buffer.alloc(0);

export interface InboxOptions {
  /** More unread bytes than this end the conversation. */
  readonly maxBytes: number;
  /** Called once, when nothing more will come: the other side has hung up, or has sent too much. */
  readonly onGone?: (why: Error) => void;
}

export class Inbox {
  readonly #socket: Socket;
  readonly #onGone: (why: Error) => void;
  #maxBytes: number;
  #whenFull: "drop" | "wait" = "drop";
  #bytes: Buffer = NOTHING;
  #gone: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: Socket, options: InboxOptions) {
    this.#socket = socket;
    this.#maxBytes = options.maxBytes;
    this.#onGone = options.onGone ?? (() => undefined);
    socket.on("data", this.#take);
    socket.on("end", this.#ended);
    socket.on("close", this.#closed);
    socket.on("error", this.#failed);
    if (socket.destroyed) this.#leave(new Dropped("the connection was closed"));
    else socket.resume();
  }

  /** Bytes that were read from the socket and not taken. */
  get unread(): number {
    return this.#bytes.length;
  }

  /** The next message: `parse` is asked again at each new piece until it does not say null, and may throw. Rejects with
   *  the reason when the other side is gone. */
  async next<T extends { readonly length: number }>(parse: (bytes: Buffer) => T | null): Promise<T> {
    for (;;) {
      const parsed = parse(this.#bytes);
      if (parsed !== null) {
        this.#bytes = this.#bytes.subarray(parsed.length);
        return parsed;
      }
      if (this.#gone !== null) throw this.#gone;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** From now on a full inbox is not read any more, instead of being an offence. */
  hold(maxBytes: number): void {
    this.#whenFull = "wait";
    this.#maxBytes = maxBytes;
  }

  /** Ends the conversation from our side: whoever waits for a message gets this error. */
  close(why: Error): void {
    this.#leave(why);
  }

  /** Hands the socket on, paused, and answers what is left. 'error' stays without effect. */
  release(): Buffer | null {
    this.#detach();
    this.#socket.pause();
    const rest = this.#bytes;
    this.#bytes = NOTHING;
    return rest.length === 0 ? null : rest;
  }

  /** Reads on and keeps nothing, so that the last answer is not lost by a reset. */
  discard(): void {
    this.#detach();
    this.#bytes = NOTHING;
    this.#socket.on("data", () => undefined);
    this.#socket.resume();
  }

  #detach(): void {
    this.#socket.on("error", () => undefined);
    this.#socket.off("data", this.#take);
    this.#socket.off("end", this.#ended);
    this.#socket.off("close", this.#closed);
    this.#socket.off("error", this.#failed);
  }

  readonly #take = (chunk: Buffer): void => {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (this.#bytes.length > this.#maxBytes) {
      if (this.#whenFull === "wait") this.#socket.pause();
      else this.#leave(new Dropped("more bytes than a login needs", "protocol"));
    }
    this.#stir();
  };
  readonly #ended = () => this.#leave(new Dropped("the connection was closed"));
  readonly #closed = () => this.#leave(new Dropped("the connection was closed"));
  readonly #failed = (error: Error) => this.#leave(new Dropped("the connection broke", null, error));

  #leave(why: Error): void {
    if (this.#gone !== null) return;
    this.#gone = why;
    this.#stir();
    this.#onGone(why);
  }

  #stir(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
