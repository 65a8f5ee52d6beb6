/**
 * The words that a driver which is not built on libpq has for libpq's parameters, and its own words for what libpq does
 * not know. A value that has no equal on the other side is not translated at all: half a translation of a security
 * setting would be worse than a refusal.
 */
import type { Driver } from "./connection.js";
import { LIBPQ_PARAMETERS, type LibpqParameter } from "./keywords.js";

interface Translation {
  readonly name: string;
  /** libpq's value in the driver's words, or null when the driver has none. */
  readonly out: (value: string) => string | null;
  /** The driver's value in libpq's words, or null when libpq has none. */
  readonly in: (value: string) => string | null;
}

export interface DriverVocabulary {
  readonly driver: Driver;
  readonly translations: Readonly<Partial<Record<LibpqParameter, Translation>>>;
  /** The driver's own parameters in its own spelling. */
  readonly own: readonly string[];
  /** Other spellings of own parameters and translated names. */
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
  | { readonly kind: "own"; readonly key: `${Driver}:${string}`; readonly value: string }
  | { readonly kind: "unknown-name" }
  | { readonly kind: "unknown-value"; readonly name: string };

/** The key in `parameters` and the value for a driver's name and value. */
export function translateIn(vocabulary: DriverVocabulary, name: string, value: string): TranslatedIn {
  const alias = Object.entries(vocabulary.aliases).find(([other]) => vocabulary.fold(other) === vocabulary.fold(name));
  const folded = vocabulary.fold(alias?.[1] ?? name);
  for (const [keyword, translation] of entries(vocabulary.translations)) {
    if (vocabulary.fold(translation.name) !== folded) continue;
    const translated = translation.in(value);
    if (translated === null) return { kind: "unknown-value", name: translation.name };
    return { kind: "parameter", keyword, value: translated };
  }
  const own = vocabulary.own.find((each) => vocabulary.fold(each) === folded);
  return own === undefined ? { kind: "unknown-name" } : { kind: "own", key: `${vocabulary.driver}:${own}`, value };
}

function entries(translations: DriverVocabulary["translations"]): [LibpqParameter, Translation][] {
  return LIBPQ_PARAMETERS.flatMap((keyword) => {
    const translation = translations[keyword];
    return translation === undefined ? [] : [[keyword, translation]];
  });
}

/** The same values under another name. */
export function same(name: string): Translation {
  return { name, out: (value) => value, in: (value) => value };
}

/** A fixed set of values; `pairs` maps libpq's to the driver's, whose case does not matter. */
export function words(name: string, pairs: Readonly<Record<string, string>>): Translation {
  return {
    name,
    out: (value) => (Object.hasOwn(pairs, value) ? (pairs[value] ?? null) : null),
    in: (value) =>
      Object.entries(pairs).find(([, theirs]) => theirs.toLowerCase() === value.toLowerCase())?.[0] ?? null,
  };
}

/** A whole number up to `max`, the same on both sides. */
export function wholeNumber(name: string, max: number): Translation {
  const check = (value: string) => (/^(?:0|[1-9][0-9]{0,9})$/.test(value) && Number(value) <= max ? value : null);
  return { name, out: check, in: check };
}
