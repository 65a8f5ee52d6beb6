/** Fields that are censored wherever they stand, so that a careless `log.info({ ...options })` tells nothing. */
export const SECRET_FIELDS = [
  "password",
  "secret",
  "token",
  "authorization",
  "key",
  "verifier",
  "uri",
  "url",
  "connectionString",
  "env",
];

const EXACT = new Set(SECRET_FIELDS.map((f) => f.toLowerCase()));
/** `POSTGRES_PASSWORD`, `newPassword`, `api_key`. */
const ENDING = /(password|passwd|secret|token|apikey|api_key|connectionstring)$/;
const PASSWORD_IN_URI = /(:\/\/[^\s/:@"]*:)[^\s@"]+@/g;
export const CENSORED = "[redacted]";

/** A copy without secrets. Plain objects and arrays are searched at any depth; class instances belong to serializers. */
export function censor(fields: Record<string, unknown>): Record<string, unknown> {
  return censorObject(fields, new Set());
}

/** Takes the password out of each `postgres://user:PASSWORD@host` within a text, such as a library's message. */
export function censorText(text: string): string {
  return text.replace(PASSWORD_IN_URI, `$1${CENSORED}@`);
}

function censorObject(fields: object, above: Set<object>): Record<string, unknown> {
  above.add(fields);
  const entries = Object.entries(fields).map(([name, value]) => {
    const secret = value !== null && value !== undefined && isSecret(name);
    return [name, secret ? CENSORED : censorValue(value, above)];
  });
  above.delete(fields);
  return Object.fromEntries(entries);
}

function censorValue(value: unknown, above: Set<object>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (above.has(value)) return "[circular]";
  if (Array.isArray(value)) {
    above.add(value);
    const copy = value.map((item) => censorValue(item, above));
    above.delete(value);
    return copy;
  }
  return isPlain(value) ? censorObject(value, above) : value;
}

function isSecret(name: string): boolean {
  const lower = name.toLowerCase();
  return EXACT.has(lower) || ENDING.test(lower);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
