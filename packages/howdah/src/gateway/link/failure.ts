import { isHowdahError } from "../../kernel/errors.js";
import type { LinkError } from "./contract.js";

/** What the other side answered, or why it did not. `code`: an SQLSTATE, an errno name, or one of the two below. */
export class LinkFailure extends Error implements LinkError {
  override readonly name = "LinkFailure";

  constructor(
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
    options: { cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
  }
}

/** Code of a call from the gateway that found nobody: control restarts. */
const CONTROL_UNREACHABLE = "CONTROL_UNREACHABLE";
/** Code of an answer behind which stands a bug. */
const INTERNAL = "INTERNAL";

/** The other side broke the rules of the link: whoever throws it inside a handler ends the connection. */
export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

export function controlUnreachable(): LinkFailure {
  return new LinkFailure(CONTROL_UNREACHABLE, "the control process does not answer");
}

/** How an error crosses the link. Texts of errors that nobody reviewed stay here. */
export function toLinkError(error: unknown): LinkError {
  if (error instanceof LinkFailure || isHowdahError(error)) {
    return { code: error.code, message: error.message, hint: error.hint };
  }
  return { code: INTERNAL, message: "internal error", hint: null };
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** cannot_connect_now: clients know it as a server that will take them later. */
const CANNOT_CONNECT_NOW = "57P03";
const INTERNAL_ERROR = "XX000";

/** As `toLinkError`, for what a client of PostgreSQL is told: the code always is an SQLSTATE. */
export function toClientError(error: unknown): LinkError {
  const { code, message, hint } = toLinkError(error);
  if (SQLSTATE.test(code)) return { code, message, hint };
  return { code: isHowdahError(error) && code !== INTERNAL ? CANNOT_CONNECT_NOW : INTERNAL_ERROR, message, hint };
}
