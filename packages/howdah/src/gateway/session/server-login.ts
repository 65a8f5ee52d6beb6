/**
 * One login to a server in the client's name, over its Unix socket, with the keys that the client's own proof has
 * yielded. It is over when the server has told the session's cancellation key: every refusal that PostgreSQL knows for a
 * login comes before that one, even those behind its AuthenticationOk (no free connection, no such database).
 * Everything the server says from AuthenticationOk on belongs to the client and is kept, in order.
 */
import { connect, type Socket } from "node:net";
import { errnoOf } from "../../kernel/errors.js";
import {
  type Message,
  ProtocolViolation,
  parseAuthentication,
  parseBackendKeyData,
  parseErrorResponse,
  parseMessage,
  SCRAM_SHA_256,
  ScramClientExchange,
  saslInitialResponse,
  saslResponse,
  startupMessage,
} from "../protocol/index.js";
import { Inbox } from "./inbox.js";
import { Refused, SQLSTATES } from "./refusal.js";

export interface LoginKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export type ServerLogin =
  | {
      readonly kind: "in";
      /** Paused. */
      readonly socket: Socket;
      /** From AuthenticationOk on. */
      readonly toClient: Buffer;
      readonly cancel: { readonly pid: number; readonly secret: Buffer } | null;
    }
  /** It does not run, or not any more, or not yet; `failed` says how. */
  | { readonly kind: "down"; readonly failed: string }
  /** It runs but cannot take one more connection at this moment, or this process cannot open one. */
  | { readonly kind: "busy"; readonly failed: string }
  /** 53300, in the server's own words. */
  | { readonly kind: "full"; readonly words: Buffer }
  | { readonly kind: "refused"; readonly words: Buffer; readonly sqlstate: string };

/** All that a server may say until it has told the cancellation key. A login trigger may talk; but a service's superuser
 *  may have put a program in the server's place that never comes to an end, and what it says is kept. */
const MAX_LOGIN_BYTES = 1 << 20;
const [ERROR, AUTHENTICATION, KEY_DATA, READY] = [..."ERKZ"].map((type) => type.charCodeAt(0));

/** Errors of this process or of a full backlog (EAGAIN), which the server knows nothing of. */
const BUSY = new Set(["EAGAIN", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/**
 * @param parameters as the client gave them, without options of the protocol
 * @throws Refused when the server does not speak as PostgreSQL does; the signal's reason
 */
export async function logInToServer(o: {
  readonly socketPath: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly minor: number;
  readonly keys: LoginKeys;
  readonly signal: AbortSignal;
}): Promise<ServerLogin> {
  const socket = connect({ path: o.socketPath, allowHalfOpen: true });
  const abandon = () => socket.destroy();
  o.signal.addEventListener("abort", abandon, { once: true });
  let kept = false;
  try {
    const inbox = new Inbox(socket, { maxBytes: MAX_LOGIN_BYTES });
    socket.write(startupMessage(o.parameters, o.minor));
    const login = await converse(socket, inbox, o.keys);
    o.signal.throwIfAborted();
    kept = login.kind === "in";
    return login;
  } catch (error) {
    o.signal.throwIfAborted();
    if (error instanceof ProtocolViolation) {
      throw new Refused("unavailable", SQLSTATES.internal, "the server did not take the login", {
        detail: error.message,
        cause: error,
      });
    }
    const errno = errnoOf(error instanceof Error ? error.cause : undefined);
    if (errno !== undefined && BUSY.has(errno)) return { kind: "busy", failed: errno };
    return { kind: "down", failed: errno ?? "ECONNRESET" };
  } finally {
    o.signal.removeEventListener("abort", abandon);
    if (!kept) socket.destroy();
  }
}

async function converse(socket: Socket, inbox: Inbox, keys: LoginKeys): Promise<ServerLogin> {
  const exchange = new ScramClientExchange(keys);
  const toClient: Buffer[] = [];
  let progress: "asked" | "proven" | "admitted" = "asked";
  for (let heard = 0; ; ) {
    const message = await inbox.next((bytes) => parseWhole(bytes));
    heard += message.length;
    if (heard > MAX_LOGIN_BYTES) throw new ProtocolViolation("the server says more than a login needs");
    if (message.type === ERROR) return refusal(message, toClient);
    const admitted = progress === "admitted";
    if (!admitted && message.type === AUTHENTICATION) {
      const answered = answer(socket, exchange, message);
      // Then it is not the one that the client wants to talk to.
      if (answered === "admitted" && progress !== "proven") {
        throw new ProtocolViolation("the server has not proven that it knows the role's verifier");
      }
      progress = answered;
      if (progress === "admitted") toClient.push(message.whole);
      continue;
    }
    // Before that only NegotiateProtocolVersion can come, which is between the server and us.
    if (!admitted) continue;
    toClient.push(message.whole);
    if (message.type !== KEY_DATA && message.type !== READY) continue;
    const cancel = message.type === KEY_DATA ? parseBackendKeyData(message.body) : null;
    const rest = inbox.release();
    return { kind: "in", socket, toClient: Buffer.concat(rest === null ? toClient : [...toClient, rest]), cancel };
  }
}

function parseWhole(bytes: Buffer): (Message & { readonly whole: Buffer }) | null {
  const message = parseMessage(bytes, MAX_LOGIN_BYTES);
  return message && { ...message, whole: bytes.subarray(0, message.length) };
}

/** What the server's request has brought: it asks for more, has proven itself, or is content. */
function answer(socket: Socket, exchange: ScramClientExchange, message: Message): "asked" | "proven" | "admitted" {
  const request = parseAuthentication(message.body);
  switch (request.kind) {
    case "ok":
      return "admitted";
    case "sasl": {
      if (!request.mechanisms.includes(SCRAM_SHA_256))
        throw new ProtocolViolation("the server offers no SCRAM-SHA-256");
      const { mechanism, data } = exchange.initial();
      socket.write(saslInitialResponse(mechanism, data));
      return "asked";
    }
    case "sasl-continue":
      socket.write(saslResponse(exchange.respond(request.data)));
      return "asked";
    case "sasl-final":
      if (!exchange.verify(request.data)) throw new ProtocolViolation("the server does not know the role's verifier");
      return "proven";
    case "other":
      throw new ProtocolViolation(`the server asks for authentication method ${request.code}`);
  }
}

const DOWN: ReadonlySet<string> = new Set([SQLSTATES.cannotConnectNow, SQLSTATES.adminShutdown]);

function refusal(message: Message & { readonly whole: Buffer }, before: readonly Buffer[]): ServerLogin {
  const { sqlstate } = parseErrorResponse(message.body);
  const words = Buffer.concat([...before, message.whole]);
  if (sqlstate === SQLSTATES.tooManyConnections) return { kind: "full", words };
  if (DOWN.has(sqlstate)) return { kind: "down", failed: sqlstate };
  return { kind: "refused", words, sqlstate };
}
