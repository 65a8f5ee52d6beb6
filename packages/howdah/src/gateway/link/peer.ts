/**
 * One end of the link between control and gateway; both ends are alike. A line of JSON is a request
 * (`{id, method, params}`), its answer (`{id, result}` or `{id, error}`), or a notice (`{method, params}`). Each side
 * counts its own requests; answers come in any order. Whatever is no such line ends the connection: nothing that
 * follows it could be trusted.
 */
import type { Socket } from "node:net";
import { isHowdahError } from "../../kernel/errors.js";
import type { LinkError } from "./contract.js";
import { LinkFailure, MalformedMessage, toLinkError } from "./failure.js";
import { LineReader } from "./line-reader.js";

/** Requests of the other side that are being worked on; a sound one has far fewer. */
const MAX_REQUESTS = 65_536;
/** Bytes that the other side has not read yet; it is stuck then. */
const MAX_UNREAD_BYTES = 64 * 1_048_576;

export interface PeerOptions {
  /** Its rejection is the answer; a MalformedMessage ends the connection. */
  readonly onRequest: (method: string, params: unknown) => Promise<unknown>;
  /** May throw a MalformedMessage. */
  readonly onNotice: (method: string, params: unknown) => void;
  /** Once, when the connection is over. `problem`: what the other side did wrong, if that was the reason. */
  readonly onEnd: (problem: Error | null) => void;
  /** What calls reject with when the connection is over. */
  readonly unreachable: () => Error;
  /** How an error of `onRequest` is told; default: `toLinkError`. */
  readonly describe?: (method: string, error: unknown) => LinkError;
  /** Errors behind which stands a bug of ours. */
  readonly onBug: (method: string, error: unknown) => void;
}

export interface CallOptions<T> {
  /** Makes the result from what came; throws MalformedMessage. */
  readonly check: (value: unknown) => T;
  /** A peer that takes longer is stuck: the connection is ended. Absent: as long as it takes. */
  readonly timeoutMs?: number;
}

interface Pending {
  readonly settle: (answer: { result: unknown } | { error: unknown }) => void;
  readonly reject: (error: Error) => void;
}

export class Peer {
  readonly #socket: Socket;
  readonly #options: PeerOptions;
  readonly #lines = new LineReader();
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #atWork = 0;
  #ended = false;

  constructor(socket: Socket, options: PeerOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    // 'close' follows, and says all that matters.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#finish(null));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Rejects with what the other side answered (LinkFailure), or with `unreachable`. */
  call<T>(method: string, params: unknown, options: CallOptions<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#options.unreachable());
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      const timer =
        options.timeoutMs === undefined
          ? undefined
          : setTimeout(() => this.#finish(new Error(`no answer to '${method}'`)), options.timeoutMs);
      this.#pending.set(id, {
        settle: (answer) => {
          clearTimeout(timer);
          if ("error" in answer) reject(toFailure(answer.error));
          else resolve(options.check(answer.result));
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#write({ id, method, params });
    });
  }

  notify(method: string, params: unknown): void {
    if (!this.#ended) this.#write({ method, params });
  }

  /** At once; calls under way reject. */
  end(): void {
    this.#finish(null);
  }

  /** Resolves when all that was said is with the system; then the connection is closed. */
  async finish(): Promise<void> {
    if (!this.#ended) await new Promise<void>((resolve) => this.#socket.end(resolve));
    this.#finish(null);
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) {
        if (this.#ended) return;
        this.#take(parse(line));
      }
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#finish(error);
    }
  }

  #take(message: Readonly<Record<string, unknown>>): void {
    const { id, method } = message;
    const isCall = typeof method === "string";
    if (isCall && id === undefined) this.#options.onNotice(method, message["params"]);
    else if (typeof id !== "number") throw new MalformedMessage("neither a request nor an answer nor a notice");
    else if (isCall) this.#answer(id, method, message["params"]);
    else this.#settle(id, message);
  }

  #settle(id: number, message: Readonly<Record<string, unknown>>): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new MalformedMessage("an answer to nothing");
    if ("error" in message === "result" in message) throw new MalformedMessage("an answer with no or two outcomes");
    pending.settle("error" in message ? { error: message["error"] } : { result: message["result"] });
    this.#pending.delete(id);
  }

  #answer(id: number, method: string, params: unknown): void {
    if (this.#atWork >= MAX_REQUESTS) throw new MalformedMessage("too many requests at once");
    this.#atWork++;
    this.#options
      .onRequest(method, params)
      .then(
        (result) => this.#write({ id, result: result === undefined ? {} : result }),
        (error: unknown) => this.#refuse(id, method, error),
      )
      .finally(() => {
        this.#atWork--;
      })
      .catch((error: unknown) => this.#options.onBug(method, error));
  }

  #refuse(id: number, method: string, error: unknown): void {
    if (error instanceof MalformedMessage) {
      this.#finish(error);
      return;
    }
    const described = (this.#options.describe ?? ((_method, e) => toLinkError(e)))(method, error);
    if (!(error instanceof LinkFailure) && !isHowdahError(error)) this.#options.onBug(method, error);
    this.#write({ id, error: described });
  }

  #write(message: unknown): void {
    if (this.#ended) return;
    this.#socket.write(`${JSON.stringify(message)}\n`);
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.#finish(new Error("the other side does not read"));
  }

  #finish(problem: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(this.#options.unreachable());
    this.#options.onEnd(problem);
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser's own error quotes the line, which may hold a secret, so it is left behind.
    throw new MalformedMessage("a line is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MalformedMessage("a line is not an object");
  }
  return value as Record<string, unknown>;
}

const MAX_ERROR_TEXT = 4_096;

function toFailure(value: unknown): LinkFailure {
  const { code, message, hint } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const text = (each: unknown) => (typeof each === "string" ? each.slice(0, MAX_ERROR_TEXT) : null);
  return new LinkFailure(text(code) ?? "INTERNAL", text(message) ?? "an error without a message", text(hint));
}
