/** What a parser makes of bytes, violations as values, so that outcomes can be compared. Anything else that is thrown
 *  is a failure of the test. */
import { ProtocolViolation } from "../violation.js";

export type Outcome<T> =
  | { readonly value: T }
  | { readonly sqlstate: string; readonly message: string; readonly detail: string | null };

export function outcome<T>(parse: () => T): Outcome<T> {
  try {
    return { value: parse() };
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    return { sqlstate: error.sqlstate, message: error.message, detail: error.detail };
  }
}

/** The violation alone; fails when there is none. */
export function violation(parse: () => unknown): { sqlstate: string; message: string; detail: string | null } {
  const result = outcome(parse);
  if ("value" in result) throw new Error(`no violation, but ${JSON.stringify(result.value)}`);
  return result;
}

/**
 * Feeds a parser that wants more bytes one byte more at a time, as a socket may. Answers the first outcome that is not
 * "more", and how many bytes it took; checks that bytes behind them change nothing.
 */
export function fedByteByByte<T>(
  parse: (buffer: Buffer) => T | null,
  bytes: Buffer,
): { readonly outcome: Outcome<T | null>; readonly taken: number } {
  for (let taken = 0; taken <= bytes.length; taken++) {
    // a copy without a byte to spare, so that reading beyond is an error and not luck
    const result = outcome(() => parse(Buffer.from(new Uint8Array(bytes.subarray(0, taken)).buffer)));
    if (!("value" in result) || result.value !== null) return { outcome: result, taken };
  }
  return { outcome: { value: null }, taken: bytes.length };
}
