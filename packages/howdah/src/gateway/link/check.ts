/**
 * Small checks of what came over the link, each of which gives the value or throws MalformedMessage. By hand, because
 * the gateway loads no validators (its memory counts), and unknown fields are dropped.
 */
import { MalformedMessage } from "./failure.js";

export type Check<T> = (value: unknown) => T;

export function whole(min = 0, max = Number.MAX_SAFE_INTEGER): Check<number> {
  return (value) => {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw new MalformedMessage(`not a whole number from ${min} to ${max}`);
  };
}

/** `max` counts UTF-16 units. */
export function text(max: number): Check<string> {
  return (value) => {
    if (typeof value === "string" && value.length <= max) return value;
    throw new MalformedMessage(`not a text of at most ${max} characters`);
  };
}

export const flag: Check<boolean> = (value) => {
  if (typeof value === "boolean") return value;
  throw new MalformedMessage("neither true nor false");
};

export function oneOf<const T extends string>(...allowed: readonly T[]): Check<T> {
  return (value) => {
    const found = allowed.find((each) => each === value);
    if (found !== undefined) return found;
    throw new MalformedMessage(`none of ${allowed.join(", ")}`);
  };
}

export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value) => (value === null ? null : check(value));
}

export function list<T>(check: Check<T>, max: number): Check<readonly T[]> {
  return (value) => {
    if (Array.isArray(value) && value.length <= max) return value.map(check);
    throw new MalformedMessage(`not a list of at most ${max}`);
  };
}

export function record<T extends object>(fields: { readonly [K in keyof T]: Check<T[K]> }): Check<T> {
  const checks = Object.entries(fields) as [string, Check<unknown>][];
  return (value) => {
    if (typeof value !== "object" || value === null) throw new MalformedMessage("not an object");
    const source = value as Readonly<Record<string, unknown>>;
    // Keys are those of `fields`, so the result has the type's.
    return Object.fromEntries(checks.map(([name, check]) => [name, at(name, check, source[name])])) as T;
  };
}

function at(name: string, check: Check<unknown>, value: unknown): unknown {
  try {
    return check(value);
  } catch (cause) {
    if (!(cause instanceof MalformedMessage)) throw cause;
    throw new MalformedMessage(`${name}: ${cause.message}`, { cause });
  }
}
