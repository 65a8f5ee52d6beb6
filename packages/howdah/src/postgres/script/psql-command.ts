import { ScriptFault } from "./script-fault.js";

/** What we do for a backslash command of psql. */
export type PsqlCommand =
  /** null: the database that is connected. */
  | { readonly kind: "connect"; readonly database: string | null; readonly user: string | null }
  | { readonly kind: "echo"; readonly text: string }
  | { readonly kind: "stop-on-error"; readonly isOn: boolean }
  | { readonly kind: "restrict" | "unrestrict"; readonly key: string }
  /** End of the statement before it: run it (`\g`), or run it and then every value of its result (`\gexec`). */
  | { readonly kind: "run" | "run-each" }
  | { readonly kind: "quit" }
  | { readonly kind: "nothing" };

/** Commands and variables that only change what psql prints. */
const DISPLAY = new Set(["pset", "timing", "x", "a", "t", "H", "f", "C", "T", "errverbose", "p", "print"]);
const DISPLAY_VARIABLES = new Set(["QUIET", "ECHO", "ECHO_HIDDEN", "VERBOSITY", "SHOW_CONTEXT", "FETCH_COUNT"]);

const INSTEAD: Readonly<Record<string, string>> = {
  i: "Mount the other file beside this one: scripts run in the order of their names.",
  ir: "Mount the other file beside this one: scripts run in the order of their names.",
  include: "Mount the other file beside this one: scripts run in the order of their names.",
  copy: "Write COPY … FROM stdin with the rows in the script, as pg_dump does, or load the file after the start.",
  "!": "Put shell commands into a script whose name ends in .sh.",
  gset: "psql's variables are not there; use a DO block or a common table expression.",
  if: "Use a DO block with IF, or a script whose name ends in .sh that calls psql.",
  encoding: "Write the script in UTF-8.",
};

/**
 * Reads a backslash command. Throws ScriptFault for those that need psql itself, with what to do instead.
 */
export function parsePsqlCommand(text: string, line: number): PsqlCommand {
  const match = /^\\([A-Za-z]+|.?)([\s\S]*)$/.exec(text.trimEnd());
  const name = match?.[1] ?? "";
  const words = () => parseWords(match?.[2] ?? "", name, line);
  switch (name) {
    case "c":
    case "connect":
      return parseConnect(words(), line);
    case "echo":
    case "qecho":
    case "warn":
      return {
        kind: "echo",
        text: words()
          .filter((word, i) => i > 0 || word !== "-n")
          .join(" "),
      };
    case "set":
      return parseSet(words(), line);
    case "restrict":
    case "unrestrict":
      return { kind: name, key: words()[0] ?? "" };
    case "g":
    case "gx":
      if (words().length > 0) throw unknown(name, line);
      return { kind: "run" };
    case "gexec":
      return { kind: "run-each" };
    case "q":
    case "quit":
      return { kind: "quit" };
    default:
      if (DISPLAY.has(name)) return { kind: "nothing" };
      throw unknown(name, line);
  }
}

function parseConnect(words: readonly string[], line: number): PsqlCommand {
  const [database = "-", user = "-", ...address] = words.filter((word) => !word.startsWith("-reuse-previous="));
  const named = /^postgres(ql)?:\/\//.test(database) || database.includes("=") ? databaseOf(database, line) : database;
  if (address.some((word) => word !== "-")) throw elsewhere(line);
  return { kind: "connect", database: named === "-" ? null : named, user: user === "-" ? null : user };
}

/** `dbname='my db'`, as pg_dump writes names that need quoting. */
function databaseOf(keywords: string, line: number): string {
  const match = /^\s*dbname\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s'\\]+))\s*$/.exec(keywords);
  const value = match?.[1] ?? match?.[2];
  if (value === undefined) throw elsewhere(line);
  return value.replace(/\\(.)/g, "$1");
}

function parseSet(words: readonly string[], line: number): PsqlCommand {
  const [name = "", value = ""] = words;
  if (name === "ON_ERROR_STOP") return { kind: "stop-on-error", isOn: !/^(0|off|false|no)$/i.test(value) };
  if (name === "" || DISPLAY_VARIABLES.has(name)) return { kind: "nothing" };
  throw new ScriptFault(line, `\\set ${name}: psql's variables are not there, so ':${name}' would not be replaced`, {
    hint: "Write the value where it is used, or put the script into a file whose name ends in .sh that calls psql.",
  });
}

/** psql's words: divided by blanks, 'quoted with \n and the like' or "quoted", joined where they touch. */
function parseWords(text: string, command: string, line: number): string[] {
  const words: string[] = [];
  const part = /\s+|'((?:[^'\\]|''|\\[\s\S])*)'|"((?:[^"]|"")*)"|([^\s'"]+)|(['"])/g;
  let isNew = true;
  for (const match of text.matchAll(part)) {
    const [whole, single, double, bare, loose] = match;
    if (loose !== undefined) throw new ScriptFault(line, `\\${command}: a quote is not closed`);
    if (bare?.includes("`")) throw new ScriptFault(line, `\\${command}: commands in backquotes are not run`);
    if (/^\s/.test(whole)) {
      isNew = true;
      continue;
    }
    const value =
      single?.replace(/''/g, "'").replace(/\\([\s\S])/g, unescapeLetter) ?? double?.replace(/""/g, '"') ?? bare ?? "";
    if (isNew) words.push(value);
    else words.push((words.pop() ?? "") + value);
    isNew = false;
  }
  return words;
}

function unescapeLetter(_: string, letter: string): string {
  return { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" }[letter] ?? letter;
}

function unknown(name: string, line: number): ScriptFault {
  return new ScriptFault(line, `the psql command '\\${name}' is not possible here`, {
    hint: INSTEAD[name] ?? "Write it in SQL, or put it into a script whose name ends in .sh that calls psql.",
  });
}

function elsewhere(line: number): ScriptFault {
  return new ScriptFault(line, "\\connect can only change the database of this server", {
    hint: "Write '\\connect DATABASE'.",
  });
}
