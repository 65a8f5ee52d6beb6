/** The ways in which a conversation with a client ends before its bytes are copied. */
import type { RefusalReason } from "../link/contract.js";

/** The client gets a FATAL ErrorResponse; message, detail and hint are shown to it, so they hold no secret. */
export class Refused extends Error {
  override readonly name = "Refused";
  constructor(
    readonly reason: RefusalReason,
    readonly sqlstate: string,
    message: string,
    readonly more: { readonly hint?: string; readonly detail?: string; readonly cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
  }
}

/** The server has said no, and not for a reason that waiting would cure: its own words go to the client unchanged. */
export class RefusedByServer extends Error {
  override readonly name = "RefusedByServer";
  constructor(
    /** What the server sent to the client, its ErrorResponse last. */
    readonly bytes: Buffer,
    readonly sqlstate: string,
  ) {
    super(`the server refused the login with ${sqlstate}`);
  }
}

/** Nobody is there to answer, or an answer would only help a stranger. */
export class Dropped extends Error {
  override readonly name = "Dropped";
  /** @param reason null: the client went away by itself */
  constructor(
    message: string,
    readonly reason: RefusalReason | null = null,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

export const SQLSTATES = {
  invalidAuthorization: "28000",
  wrongPassword: "28P01",
  cannotConnectNow: "57P03",
  adminShutdown: "57P01",
  tooManyConnections: "53300",
  protocolViolation: "08P01",
  queryCanceled: "57014",
  internal: "XX000",
} as const;

/** The SQLSTATE that control answered with, or null when the error is one of the way to control (an errno name, a
 *  closed connection): five characters with a digit among them, which EPIPE has not. */
export function sqlstateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

/** What control said, as an error for the client. */
export function refusedByControl(error: Error, sqlstate: string): Refused {
  const hint = "hint" in error && typeof error.hint === "string" ? error.hint : null;
  return new Refused("unavailable", sqlstate, error.message, { cause: error, ...(hint === null ? {} : { hint }) });
}
