/**
 * Lets a client prove who it is, against what pg_authid says of its role, as PostgreSQL's auth.c does with
 * scram-sha-256 in pg_hba.conf. A role that does not exist, has no password, or whose password has expired goes
 * through the same exchange with a made-up verifier, and fails where a wrong password fails.
 */
import { randomBytes } from "node:crypto";
import type { RoleSecret } from "../../spec/index.js";
import {
  authenticationMd5Password,
  authenticationSasl,
  authenticationSaslContinue,
  authenticationSaslFinal,
  MAX_SASL_MESSAGE_BYTES,
  mockVerifier,
  ProtocolViolation,
  parseMessage,
  parsePasswordMessage,
  parseSaslInitialResponse,
  parseVerifier,
  ScramServerExchange,
  verifyMd5,
} from "../protocol/index.js";
import type { Inbox } from "./inbox.js";
import { Refused, SQLSTATES } from "./refusal.js";
import type { LoginKeys } from "./server-login.js";

/** Howdah's own superuser logs in through the server's socket by `peer`, never from outside. */
const ADMIN = "howdah_admin";
const PASSWORD_MESSAGE = "p".charCodeAt(0);

export interface AuthenticateOptions {
  readonly inbox: Inbox;
  readonly send: (bytes: Buffer) => void;
  readonly role: string;
  readonly secret: RoleSecret | null;
  /** For made-up verifiers; the service's own, so that two services do not answer alike. */
  readonly mockSecret: Buffer;
  readonly tls: { readonly endPointHash: Buffer | null } | null;
  readonly now: number;
  /** Waited for before a proof is looked at; throws when it is not to be. */
  readonly turn: () => Promise<void>;
}

/**
 * Answers the keys to log in to the server with; the client has then been sent everything but AuthenticationOk.
 * @throws Refused: reason `password` for 28P01 of any cause, `role` for one that may not log in or has an md5
 *   password; ProtocolViolation; whatever the inbox says when the client is gone
 */
export async function authenticate(o: AuthenticateOptions): Promise<LoginKeys> {
  const verifier = usableVerifier(o);
  if (verifier?.startsWith("md5")) return refuseMd5(o, verifier);
  const mock = mockVerifier(o.mockSecret, o.role);
  const known = verifier === null ? null : parseVerifier(verifier);
  const exchange = new ScramServerExchange({
    verifier: known ?? mock,
    doomed: known === null,
    tls: o.tls !== null,
    endPointHash: o.tls?.endPointHash ?? null,
  });
  o.send(authenticationSasl(exchange.mechanisms));
  const { mechanism, data } = parseSaslInitialResponse(await nextResponse(o.inbox, "SASL"));
  if (data === null) o.send(authenticationSaslContinue(Buffer.alloc(0)));
  const initial = data ?? (await nextResponse(o.inbox, "SASL"));
  o.send(authenticationSaslContinue(exchange.first(mechanism, initial)));
  const proof = await nextResponse(o.inbox, "SASL");
  await o.turn();
  const outcome = exchange.final(proof);
  if (!outcome.ok || known === null) throw wrongPassword(o.role);
  o.send(authenticationSaslFinal(outcome.serverFinal));
  if (o.secret?.canLogin !== true) throw mayNotLogIn(o.role);
  return { clientKey: outcome.clientKey, storedKey: known.storedKey, serverKey: known.serverKey };
}

function usableVerifier(o: AuthenticateOptions): string | null {
  if (o.secret === null || o.role === ADMIN) return null;
  if (o.secret.validUntil !== null && o.secret.validUntil < o.now) return null;
  return o.secret.verifier;
}

/** The proof of an md5 password opens no server that asks for SCRAM; who has given it may know what to do about it. */
async function refuseMd5(o: AuthenticateOptions, verifier: string): Promise<never> {
  const salt = randomBytes(4);
  o.send(authenticationMd5Password(salt));
  const response = parsePasswordMessage(await nextResponse(o.inbox, "password"));
  await o.turn();
  if (!verifyMd5({ verifier, salt, response })) throw wrongPassword(o.role);
  if (o.secret?.canLogin !== true) throw mayNotLogIn(o.role);
  throw new Refused("role", SQLSTATES.wrongPassword, `password authentication failed for user "${o.role}"`, {
    detail: `The password of role "${o.role}" is right, but it is stored as an md5 hash, which cannot be used here.`,
    hint: `Set it again as scram-sha-256, as a user who may: SET password_encryption = 'scram-sha-256'; ALTER ROLE ${quoteIdentifier(o.role)} PASSWORD '...';`,
  });
}

async function nextResponse(inbox: Inbox, what: "SASL" | "password"): Promise<Buffer> {
  const message = await inbox.next((bytes) => {
    // Judged by its first byte, before a length of another kind of message is believed.
    const type = bytes[0];
    if (type !== undefined && type !== PASSWORD_MESSAGE) {
      throw new ProtocolViolation(`expected ${what} response, got message type ${type}`);
    }
    return parseMessage(bytes, MAX_SASL_MESSAGE_BYTES);
  });
  return message.body;
}

function wrongPassword(role: string): Refused {
  return new Refused("password", SQLSTATES.wrongPassword, `password authentication failed for user "${role}"`);
}

function mayNotLogIn(role: string): Refused {
  return new Refused("role", SQLSTATES.invalidAuthorization, `role "${role}" is not permitted to log in`);
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
