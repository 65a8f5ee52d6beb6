import { usageError } from "../usage.js";

/** `-s key=value` words as one object; the value may hold further `=`. Throws USAGE for a doubled or nameless key. */
export function parseParameters(words: readonly string[] = []): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null);
  for (const word of words) {
    const at = word.indexOf("=");
    // Shown up to the sign only: behind it may be a password.
    if (at <= 0) throw usageError(`a parameter is not written as key=value`, "Write it as -s key=value.");
    const key = word.slice(0, at);
    if (key in parameters) throw usageError(`parameter '${key}' is given twice`);
    parameters[key] = word.slice(at + 1);
  }
  return { ...parameters };
}
