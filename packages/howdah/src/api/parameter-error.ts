import { HowdahError } from "../kernel/errors.js";

/** INVALID_INPUT about one parameter, which the message and `fields.field` name. */
export function invalidParameter(name: string, fact: string, hint?: string): HowdahError {
  return new HowdahError("INVALID_INPUT", `parameter '${name}': ${fact}`, {
    fields: { field: `parameters.${name}` },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Runs a check that knows nothing of parameters, and says of which one its complaint is. */
export function ofParameter<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof HowdahError)) throw error;
    throw invalidParameter(name, error.message, error.hint);
  }
}
