/**
 * The words that a driver which is not built on libpq has for libpq's parameters, and its own words for what libpq does
 * not know. A value that has no equal on the other side is not translated at all: half a translation of a security
 * setting would be worse than a refusal.
 */
import { LIBPQ_PARAMETERS, type LibpqParameter } from "./keywords.js";

/** Drivers with parameters of their own; the prefixes of such keys in a connection's `parameters`. */
export const DRIVERS = ["airflow", "jdbc", "npgsql"] as const;
export type Driver = (typeof DRIVERS)[number];
export type DriverKey = `${Driver}:${string}`;

interface Translation {
  readonly name: string;
  /** libpq's value in the driver's words, or null when the driver has none. */
  readonly out: (value: string) => string | null;
  /** The driver's value in libpq's words, or null when libpq has none. */
  readonly in: (value: string) => string | null;
  /** Values that only the driver knows: the parameter is then kept as its own. */
  readonly ownValues: readonly string[];
}

export interface DriverVocabulary {
  readonly driver: Driver;
  readonly translations: Readonly<Partial<Record<LibpqParameter, Translation>>>;
  /** The driver's own parameters in its own spelling. */
  readonly own: readonly string[];
  /** Other spellings of own and translated names, folded. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Brings a name into the form in which names are compared. */
  readonly fold: (name: string) => string;
}

/** The driver's name and value for a libpq parameter, or null. */
export function translateOut(vocabulary: DriverVocabulary, parameter: LibpqParameter, value: string) {
  const translation = vocabulary.translations[parameter];
  const translated = translation?.out(value) ?? null;
  return translation === undefined || translated === null ? null : { name: translation.name, value: translated };
}

export type TranslatedIn =
  | { readonly kind: "parameter"; readonly keyword: LibpqParameter; readonly value: string }
  | { readonly kind: "own"; readonly key: DriverKey; readonly value: string }
  | { readonly kind: "unknown-name" }
  | { readonly kind: "unknown-value"; readonly name: string };

/** The key in `parameters` and the value for a driver's name and value. */
export function translateIn(vocabulary: DriverVocabulary, name: string, value: string): TranslatedIn {
  const { driver, aliases, fold } = vocabulary;
  const folded = fold(Object.hasOwn(aliases, fold(name)) ? (aliases[fold(name)] ?? name) : name);
  for (const [keyword, translation] of translationsOf(vocabulary)) {
    if (fold(translation.name) !== folded) continue;
    const translated = translation.in(value);
    if (translated !== null) return { kind: "parameter", keyword, value: translated };
    if (!translation.ownValues.includes(value)) return { kind: "unknown-value", name: translation.name };
    return { kind: "own", key: `${driver}:${translation.name}`, value };
  }
  const own = vocabulary.own.find((each) => fold(each) === folded);
  return own === undefined ? { kind: "unknown-name" } : { kind: "own", key: `${driver}:${own}`, value };
}

/** Whether a key of `parameters` (without its prefix) is one that the driver has and libpq has not. */
export function isOwnParameter(vocabulary: DriverVocabulary, name: string): boolean {
  if (vocabulary.own.includes(name)) return true;
  return translationsOf(vocabulary).some(([, each]) => each.name === name && each.ownValues.length > 0);
}

function translationsOf(vocabulary: DriverVocabulary): [LibpqParameter, Translation][] {
  return LIBPQ_PARAMETERS.flatMap((keyword): [LibpqParameter, Translation][] => {
    const translation = vocabulary.translations[keyword];
    return translation === undefined ? [] : [[keyword, translation]];
  });
}

/** The same values under another name. */
export function same(name: string): Translation {
  return { name, out: (value) => value, in: (value) => value, ownValues: [] };
}

/** A fixed set of values; `pairs` maps libpq's to the driver's, whose case does not matter. */
export function words(
  name: string,
  pairs: Readonly<Record<string, string>>,
  ownValues: readonly string[] = [],
): Translation {
  return {
    name,
    out: (value) => (Object.hasOwn(pairs, value) ? (pairs[value] ?? null) : null),
    in: (value) =>
      Object.entries(pairs).find(([, theirs]) => theirs.toLowerCase() === value.toLowerCase())?.[0] ?? null,
    ownValues,
  };
}

/** A whole number up to `max`, the same on both sides. */
export function wholeNumber(name: string, max: number): Translation {
  const check = (value: string) => (/^(?:0|[1-9][0-9]{0,9})$/.test(value) && Number(value) <= max ? value : null);
  return { name, out: check, in: check, ownValues: [] };
}
