import { HowdahError } from "../kernel/errors.js";

/** Wrong words on the command line, found after commander was content. */
export function usageError(message: string, hint?: string): HowdahError {
  return new HowdahError("USAGE", message, hint === undefined ? {} : { hint });
}

/** A whole number from `min` up. Throws USAGE, naming what it is for. */
export function wholeNumber(text: string, what: string, min = 1): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
    throw usageError(`'${text}' is not a valid ${what}`, `Write a whole number from ${min} up.`);
  }
  return value;
}
