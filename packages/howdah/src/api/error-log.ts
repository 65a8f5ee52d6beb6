/**
 * Errors for the log: everything that helps, nothing that was sent. Drivers hang queries, parameters and connection
 * strings on their errors as properties, so only a fixed set is taken, and what looks like a credential in the text
 * is censored.
 */
import { CENSORED, censorText } from "../kernel/redact.js";

const NAMED_SECRET = /\b(password|passwd|pwd|secret|token)(["']?\s*[=:]\s*["']?|\s+')[^\s"',;)]+/gi;
const BEARER = /\b(Bearer\s+)\S+/gi;
const MAX_CAUSES = 5;

interface LoggedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

export function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { name: typeof error, message: censor(String(error)) };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return {
    name: error.name,
    message: censor(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: censor(error.stack) }),
    ...(error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

function censor(text: string): string {
  return censorText(text).replace(BEARER, `$1${CENSORED}`).replace(NAMED_SECRET, `$1$2${CENSORED}`);
}
