/**
 * What the other side did wrong, in the words and with the SQLSTATE that PostgreSQL itself uses, so that a client's
 * own error handling (and whoever searches for the message) finds what it knows. Every parser of this room throws this
 * and nothing else, whatever bytes it is given; message and detail never repeat bytes of a stranger, only single
 * printable characters of them.
 */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
  readonly sqlstate: string;
  readonly detail: string | null;

  /** @param more `sqlstate` is 08P01 (protocol_violation) unless said otherwise. */
  constructor(message: string, more: { readonly sqlstate?: string; readonly detail?: string } = {}) {
    super(message);
    this.sqlstate = more.sqlstate ?? "08P01";
    this.detail = more.detail ?? null;
  }
}

export const FEATURE_NOT_SUPPORTED = "0A000";
export const INVALID_AUTHORIZATION = "28000";
