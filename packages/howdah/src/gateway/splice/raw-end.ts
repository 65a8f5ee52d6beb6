/**
 * A socket without Node's streams between us and the kernel, for the data path only. It takes the handle of a socket
 * over and reads with net's `onread` into one buffer that all sockets of the process share (an idle connection holds
 * none); it writes with the handle's own `writeBuffer`.
 *
 * Two reasons, with figures in docs/decisions/0022-splice.md: a transaction costs about an eighth less processor time, and a write
 * that fails does not destroy the socket, so that a FATAL which the server sent before it closed is still read.
 *
 * What is not public here: `_handle`, the constructor's `handle` option, and `writeBuffer`, `writeQueueSize` and the
 * request class of a handle. `takeOver` checks that all of it is as expected and answers null otherwise; the splice
 * then goes through the streams. Nothing else in the gateway knows of this.
 */
import { Socket, type SocketConstructorOpts } from "node:net";
import { TLSSocket } from "node:tls";
import { type End, type EndEvents, tellLifecycle } from "./end.js";

const READ_BYTES = 65_536;

interface WriteRequest {
  /** Called when a write that did not fit at once has left (0) or will not (negative errno). */
  oncomplete: (status: number) => void;
  /** Keeps the bytes from being collected while libuv writes them. */
  buffer?: Buffer;
}

interface Handle {
  reading: boolean;
  readonly writeQueueSize: number;
  readStop(): number;
  /** 0, or a negative errno. What the kernel does not take at once is queued, and the request in use until it left. */
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

type HandleSocket = Omit<Socket, "_handle"> & { _handle: Handle | null };

const shared = Buffer.allocUnsafeSlow(READ_BYTES);
let requestClass: (new () => WriteRequest) | null | undefined;

/** The class of write requests. It has no public name: a socket is given a handle of ours, and shows it. */
function findRequestClass(): (new () => WriteRequest) | null {
  let found: unknown;
  const handle = {
    reading: false,
    readStart: () => 0,
    readStop: () => 0,
    useUserBuffer: () => undefined,
    writeBuffer: (request: object) => {
      found = request.constructor;
      return 0;
    },
    close: () => undefined,
  };
  try {
    const options = { handle, manualStart: true } as SocketConstructorOpts;
    new Socket(options).on("error", () => undefined).write(Buffer.alloc(1));
  } catch {
    // Another Node with other insides: the streams do it, more slowly.
    return null;
  }
  // A plain object would end the process when a write has to be queued: only a class of Node's own will do.
  return typeof found === "function" && found.name === "WriteWrap" ? (found as new () => WriteRequest) : null;
}

function isHandle(handle: unknown): handle is Handle {
  const h = handle as Partial<Record<keyof Handle | "useUserBuffer", unknown>> | null | undefined;
  return (
    typeof h === "object" &&
    h !== null &&
    typeof h.writeQueueSize === "number" &&
    typeof h.readStop === "function" &&
    typeof h.writeBuffer === "function" &&
    typeof h.useUserBuffer === "function"
  );
}

/**
 * Takes `socket` (connected, paused) over, or answers null when that cannot be done: a TLS socket, one with writes
 * still queued, one already closing, or a Node that is not as expected. From then on `socket` is a mere name: it closes
 * when the connection does, and destroying it destroys the connection.
 */
export function takeOver(socket: Socket): End | null {
  if (requestClass === undefined) requestClass = findRequestClass();
  const handle: unknown = (socket as unknown as HandleSocket)._handle;
  if (requestClass === null || socket instanceof TLSSocket || !isHandle(handle)) return null;
  if (socket.destroyed || socket.connecting || socket.writableEnded || socket.writableLength > 0) return null;
  return new RawEnd(socket, handle, requestClass);
}

class RawEnd implements End {
  readonly #named: Socket;
  readonly #socket: Socket;
  readonly #handle: Handle;
  readonly #Request: new () => WriteRequest;
  /** What the stream had read already. */
  #first: Buffer | null;
  #queued = 0;
  #writable = true;
  #events: EndEvents | null = null;

  constructor(named: Socket, handle: Handle, Request: new () => WriteRequest) {
    this.#named = named;
    this.#handle = handle;
    this.#Request = Request;
    named.setTimeout(0);
    handle.readStop();
    handle.reading = false;
    (named as unknown as HandleSocket)._handle = null;
    this.#first = named.read() as Buffer | null;
    const onread = { buffer: shared, callback: (count: number) => this.#read(count) };
    const options = { handle, allowHalfOpen: true, pauseOnCreate: true, onread };
    this.#socket = new Socket(options as SocketConstructorOpts);
  }

  start(events: EndEvents): void {
    this.#events = events;
    tellLifecycle(this.#socket, events);
    this.#socket.once("close", () => {
      this.#writable = false;
      this.#named.destroy();
    });
    this.#named.on("error", () => undefined);
    if (this.#named.destroyed) this.#socket.destroy();
    else this.#named.once("close", () => this.#socket.destroy());
    const first = this.#first;
    this.#first = null;
    this.#socket.resume();
    if (first !== null) events.chunk(first);
  }

  #read(count: number): boolean {
    // The next read of any socket overwrites the shared buffer, and a write may outlive this call: copy. Small copies
    // come from Node's slab, large ones have memory of their own.
    const bytes = count < 4_096 ? Buffer.allocUnsafe(count) : Buffer.allocUnsafeSlow(count);
    shared.copy(bytes, 0, 0, count);
    this.#events?.chunk(bytes);
    return true;
  }

  write(bytes: Buffer): boolean {
    if (!this.#writable) return true;
    // A request of its own for each write, as Node does. To use one again that was left unused saves nothing worth it,
    // and cannot be told from here: a write that did not fit may fit at libuv's second try, a moment later, with an
    // empty queue and the request in use all the same. Node ends the process when such a one is given again.
    const request = new this.#Request();
    let waitedFor = false;
    request.buffer = bytes;
    request.oncomplete = (status) => {
      if (status !== 0) this.#break();
      if (!waitedFor) return;
      this.#queued -= 1;
      // Also after a failure: whoever waits must go on, if only to hear that it is over.
      if (this.#queued === 0) this.#events?.drained();
    };
    if (this.#handle.writeBuffer(request, bytes) !== 0) {
      // Not while somebody is in the middle of a chunk.
      process.nextTick(() => this.#break());
      return true;
    }
    if (this.#handle.writeQueueSize === 0) return true;
    waitedFor = true;
    this.#queued += 1;
    return false;
  }

  #break(): void {
    if (!this.#writable) return;
    this.#writable = false;
    this.#events?.broken();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#writable = false;
    this.#socket.end();
  }

  destroy(): void {
    this.#writable = false;
    this.#socket.destroy();
  }
}
