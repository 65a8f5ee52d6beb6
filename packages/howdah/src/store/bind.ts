/**
 * The only way a value reaches SQLite. libsql ends the whole process (a native abort, no exception) when a boolean,
 * Date or object is bound, binds null for a name that is missing, ignores a surplus one, stores every number as a
 * float and cuts text at NUL when it is read back: each of these is an error here instead.
 */
export type Bindable = null | number | bigint | string | Buffer;
export type Parameters = Readonly<Record<string, Bindable>>;

const PLACEHOLDER = /:([a-z][a-z0-9_]*)/g;

/** Names of the `:placeholders` in a statement. Our SQL holds no colon in any other place. */
export function placeholdersOf(sql: string): ReadonlySet<string> {
  return new Set(Array.from(sql.matchAll(PLACEHOLDER), (m) => m[1] ?? ""));
}

/** Checks `values` against the placeholders, both ways, and returns what libsql can take. Throws TypeError: a bug of ours. */
export function bind(placeholders: ReadonlySet<string>, values: Parameters): Record<string, Bindable> {
  const bound: Record<string, Bindable> = {};
  for (const name of placeholders) {
    if (!Object.hasOwn(values, name)) throw new TypeError(`no value for parameter ':${name}'`);
    bound[name] = checked(name, values[name]);
  }
  for (const name of Object.keys(values)) {
    if (!placeholders.has(name)) throw new TypeError(`the statement has no parameter ':${name}'`);
  }
  return bound;
}

function checked(name: string, value: unknown): Bindable {
  if (value === null || typeof value === "bigint") return value;
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return BigInt(value);
    if (Number.isFinite(value) && !Number.isInteger(value)) return value;
    throw new TypeError(`parameter ':${name}' is ${value}, which SQLite cannot hold exactly`);
  }
  if (typeof value === "string") {
    if (value.includes("\0")) throw new TypeError(`parameter ':${name}' holds a NUL character`);
    return value;
  }
  if (Buffer.isBuffer(value)) return value;
  throw new TypeError(`parameter ':${name}' is of type ${value?.constructor?.name ?? typeof value}`);
}
