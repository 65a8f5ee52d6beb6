import { HowdahError } from "../../kernel/errors.js";

/** One option of initdb under its long name; null where it takes no value. */
export interface InitdbOption {
  readonly name: string;
  readonly value: string | null;
}

/** Options that users may give, with their short form and whether a value follows. */
const ALLOWED: Readonly<Record<string, { short?: string; takesValue: boolean }>> = {
  encoding: { short: "E", takesValue: true },
  "allow-group-access": { short: "g", takesValue: false },
  "icu-locale": { takesValue: true },
  "icu-rules": { takesValue: true },
  "data-checksums": { short: "k", takesValue: false },
  "no-data-checksums": { takesValue: false },
  locale: { takesValue: true },
  "lc-collate": { takesValue: true },
  "lc-ctype": { takesValue: true },
  "lc-messages": { takesValue: true },
  "lc-monetary": { takesValue: true },
  "lc-numeric": { takesValue: true },
  "lc-time": { takesValue: true },
  "no-locale": { takesValue: false },
  "builtin-locale": { takesValue: true },
  "locale-provider": { takesValue: true },
  "text-search-config": { short: "T", takesValue: true },
  "wal-segsize": { takesValue: true },
  set: { short: "c", takesValue: true },
  "discard-caches": { takesValue: false },
  "sync-method": { takesValue: true },
  // These three change nothing about the result; they are taken and left out.
  debug: { short: "d", takesValue: false },
  "no-sync": { short: "N", takesValue: false },
  "no-sync-data-files": { takesValue: false },
  "no-instructions": { takesValue: false },
  // Taken where they say what we say, see below.
  auth: { short: "A", takesValue: true },
  "auth-host": { takesValue: true },
  "auth-local": { takesValue: true },
};

/** Options that would collide with what Howdah itself decides, with the reason. */
const REFUSED: Readonly<Record<string, { short?: string; takesValue: boolean; why: string }>> = {
  pgdata: { short: "D", takesValue: true, why: "Howdah chooses the data directory" },
  username: { short: "U", takesValue: true, why: "the bootstrap role belongs to Howdah; set POSTGRES_USER instead" },
  pwfile: { takesValue: true, why: "the bootstrap role has no password; set POSTGRES_PASSWORD instead" },
  pwprompt: { short: "W", takesValue: false, why: "nobody is there to ask; set POSTGRES_PASSWORD instead" },
  waldir: { short: "X", takesValue: true, why: "Howdah keeps the WAL with the data" },
  directory: { short: "L", takesValue: true, why: "the input files are the engine's own" },
  "no-clean": { short: "n", takesValue: false, why: "Howdah removes what a failed initdb leaves" },
  "sync-only": { short: "S", takesValue: false, why: "it makes no cluster" },
  show: { short: "s", takesValue: false, why: "it makes no cluster" },
  version: { short: "V", takesValue: false, why: "it makes no cluster" },
  help: { short: "?", takesValue: false, why: "it makes no cluster" },
};

const TABLE = { ...ALLOWED, ...REFUSED };
const AUTH = new Set(["auth", "auth-host", "auth-local"]);

/**
 * Reads the words of POSTGRES_INITDB_ARGS as getopt_long reads them: `--name=value`, `--name value`, unambiguous
 * abbreviations, `-E UTF8`, `-EUTF8`, `-kE UTF8`. Throws INVALID_INPUT for what Howdah decides itself and for what
 * no initdb of 14 to 18 knows.
 */
export function parseInitdbOptions(words: readonly string[]): InitdbOption[] {
  const queue = [...words];
  const options: InitdbOption[] = [];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word.startsWith("--") && word.length > 2) options.push(longOption(word, queue));
    else if (word.startsWith("-") && word.length > 1 && word !== "--") options.push(...shortOptions(word, queue));
    else throw refused(word, "Howdah chooses the data directory");
  }
  return options.filter(isEffective);
}

function longOption(word: string, queue: string[]): InitdbOption {
  const equals = word.indexOf("=");
  const given = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const matches = Object.hasOwn(TABLE, given) ? [given] : Object.keys(TABLE).filter((n) => n.startsWith(given));
  const [name] = matches;
  if (name === undefined) throw refused(word, "initdb has no such option");
  if (matches.length > 1) throw refused(word, `it may mean ${matches.map((m) => `--${m}`).join(" or ")}`);
  return option(name, word, equals < 0 ? null : word.slice(equals + 1), queue);
}

function shortOptions(word: string, queue: string[]): InitdbOption[] {
  const options: InitdbOption[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    const name = Object.keys(TABLE).find((n) => TABLE[n]?.short === letter);
    if (name === undefined) throw refused(word, "initdb has no such option");
    const rest = word.slice(at + 1);
    if (TABLE[name]?.takesValue !== true) {
      options.push(option(name, `-${letter}`, null, queue));
      continue;
    }
    options.push(option(name, `-${letter}`, rest === "" ? null : rest, queue));
    break;
  }
  return options;
}

/** Refuses words that initdb could not be given, before anything is made. Throws INVALID_INPUT. */
export function checkInitdbArguments(words: readonly string[]): void {
  parseInitdbOptions(words);
}

function option(name: string, word: string, attached: string | null, queue: string[]): InitdbOption {
  const collision = REFUSED[name];
  if (collision !== undefined) throw refused(word, collision.why);
  if (ALLOWED[name]?.takesValue !== true) {
    if (attached !== null) throw refused(word, "it takes no value");
    return { name, value: null };
  }
  const value = attached ?? queue.shift();
  if (value === undefined) throw refused(word, "its value is missing");
  if (AUTH.has(name) && value !== "scram-sha-256") {
    throw refused(word, `Howdah lets nobody in by '${value}', only by scram-sha-256`);
  }
  return { name, value };
}

/** `--auth-host=scram-sha-256` asks for what there is anyway, and durability is not for sale. */
function isEffective({ name }: InitdbOption): boolean {
  return !AUTH.has(name) && !["debug", "no-sync", "no-sync-data-files", "no-instructions"].includes(name);
}

function refused(word: string, why: string): HowdahError {
  const shown = word.split("=")[0] ?? word;
  return new HowdahError("INVALID_INPUT", `the initdb argument '${shown}' is not possible: ${why}`, {
    hint: "Take it out of POSTGRES_INITDB_ARGS (initdb_args).",
    fields: { argument: shown },
  });
}
