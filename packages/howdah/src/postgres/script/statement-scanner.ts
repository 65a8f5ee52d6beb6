/**
 * Finds the end of one SQL statement: the first semicolon outside of quotes, comments, parentheses and SQL function
 * bodies. The rules are those of psql's lexer (psqlscan.l), which are those of the server's.
 *
 * The text may come in parts: a token that may go on beyond the end of the part is left for the next call.
 */
export interface Rest {
  readonly text: string;
  /** How far it has been read; moved on by `scan`. */
  at: number;
  readonly isFinal: boolean;
}

type Inside =
  | { readonly kind: "plain" }
  | { readonly kind: "line-comment" }
  | { readonly kind: "block-comment"; depth: number }
  | { readonly kind: "string"; readonly escapes: boolean }
  | { readonly kind: "identifier" }
  | { readonly kind: "dollar"; readonly tag: string };

const PLAIN: Inside = { kind: "plain" };
/** What can neither begin nor end anything. */
const DULL = /[^'"$/\-\\;()A-Za-z_0-9\x80-\uffff]+/y;
const WORD = /[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*/y;
const NUMBER = /\d[\w.\x80-\uffff]*/y;
const PARAMETER = /\$\d+/y;
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$/y;
const HALF_DOLLAR_QUOTE = /\$[\w\x80-\uffff]*$/y;
/** 'a' and 'b' on two lines are one string; so an E'…' goes on by the rules of its beginning. */
const CONTINUATION = /[ \t\f\v]*(?:--[^\n\r]*)?[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y;
const HALF_CONTINUATION = /(?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*(?:--?[^\n\r]*)?$/y;

export class StatementScanner {
  standardConformingStrings = true;

  #inside: Inside = PLAIN;
  #parentheses = 0;
  /** BEGIN ATOMIC … END, and CASE … END within. */
  #blocks = 0;
  /** The first words, as far as they can begin CREATE [OR REPLACE] FUNCTION | PROCEDURE. */
  #beginning: string[] = [];
  #isBeginning = true;
  #firstToken: string | null = null;
  #lastToken = "";
  #isCopyFromStdin = false;

  get isCopyFromStdin(): boolean {
    return this.#isCopyFromStdin;
  }

  /** Moves `rest.at` behind the semicolon, to the backslash, or as far as the text can be understood. */
  scan(rest: Rest): "semicolon" | "backslash" | "more" {
    while (rest.at < rest.text.length) {
      const found = this.#inside.kind === "plain" ? this.#plain(rest) : this.#skip(rest);
      if (found === "semicolon" || found === "backslash") return found;
      if (found === "wait") return "more";
    }
    return "more";
  }

  #plain(rest: Rest): "semicolon" | "backslash" | "wait" | null {
    const { text, at } = rest;
    const dull = match(DULL, rest);
    if (dull !== null) {
      if (/[^ \t\n\r\f\v]/.test(dull)) this.#token("");
      return null;
    }
    const isLast = at + 1 === text.length && !rest.isFinal;
    const char = text.charAt(at);
    switch (char) {
      case "'":
        return this.#open(rest, 1, { kind: "string", escapes: !this.standardConformingStrings });
      case '"':
        return this.#open(rest, 1, { kind: "identifier" });
      case ";":
        rest.at++;
        return this.#parentheses === 0 && this.#blocks === 0 ? "semicolon" : null;
      case "\\":
        return "backslash";
      case "(":
      case ")":
        this.#parentheses = Math.max(0, this.#parentheses + (char === "(" ? 1 : -1));
        this.#token(char);
        rest.at++;
        return null;
      case "-":
      case "/":
        if (isLast) return "wait";
        if (text.startsWith("--", at)) return this.#comment(rest, { kind: "line-comment" });
        if (text.startsWith("/*", at)) return this.#comment(rest, { kind: "block-comment", depth: 1 });
        this.#token("");
        rest.at++;
        return null;
      case "$":
        return this.#dollar(rest);
      default:
        return this.#wordOrNumber(rest);
    }
  }

  #wordOrNumber(rest: Rest): "wait" | null {
    const from = rest.at;
    const word = match(WORD, rest);
    if (word === null) match(NUMBER, rest);
    if (rest.at === rest.text.length && !rest.isFinal) {
      rest.at = from;
      return "wait";
    }
    if (word === null) {
      this.#token("");
      return null;
    }
    const isPrefix = rest.text[rest.at] === "'" && /^[eEnNbBxX]$/.test(word);
    if (!isPrefix) {
      this.#word(word.toLowerCase());
      return null;
    }
    const isEscaping = /[eE]/.test(word) || (/[nN]/.test(word) && !this.standardConformingStrings);
    return this.#open(rest, 1, { kind: "string", escapes: isEscaping });
  }

  #dollar(rest: Rest): "wait" | null {
    const from = rest.at;
    HALF_DOLLAR_QUOTE.lastIndex = from;
    if (!rest.isFinal && HALF_DOLLAR_QUOTE.test(rest.text)) return "wait";
    const tag = match(DOLLAR_QUOTE, rest);
    if (tag !== null) return this.#open(rest, 0, { kind: "dollar", tag });
    this.#token("");
    if (match(PARAMETER, rest) === null) rest.at++;
    return null;
  }

  #open(rest: Rest, length: number, inside: Inside): null {
    this.#token("");
    this.#inside = inside;
    rest.at += length;
    return null;
  }

  #comment(rest: Rest, inside: Inside): null {
    this.#inside = inside;
    rest.at += 2;
    return null;
  }

  /** Reads on inside a quote or comment. */
  #skip(rest: Rest): "wait" | null {
    const { text, isFinal } = rest;
    const inside = this.#inside;
    switch (inside.kind) {
      case "line-comment": {
        const end = indexOf(/[\n\r]/g, rest);
        rest.at = end ?? text.length;
        if (end !== null) this.#inside = PLAIN;
        return null;
      }
      case "block-comment": {
        const at = indexOf(/\/\*|\*\//g, rest);
        // The last character may be half a mark.
        if (at === null) return keepBack(rest, 1);
        inside.depth += text[at] === "/" ? 1 : -1;
        if (inside.depth === 0) this.#inside = PLAIN;
        rest.at = at + 2;
        return null;
      }
      case "dollar": {
        const at = text.indexOf(inside.tag, rest.at);
        if (at < 0) return keepBack(rest, inside.tag.length - 1);
        this.#inside = PLAIN;
        rest.at = at + inside.tag.length;
        return null;
      }
      case "identifier":
      case "string": {
        const quote = inside.kind === "string" ? "'" : '"';
        const escapes = inside.kind === "string" && inside.escapes;
        const at = indexOf(escapes ? /['\\]/g : quote === "'" ? /'/g : /"/g, rest);
        rest.at = at ?? text.length;
        if (at === null) return null;
        if (at + 1 === text.length && !isFinal) return "wait";
        // A doubled quote, or a backslash and what it escapes, stay inside.
        if (text[at] === "\\" || text[at + 1] === quote) rest.at = Math.min(at + 2, text.length);
        else return this.#close(rest, escapes);
        return null;
      }
      default:
        return null;
    }
  }

  /** At the quote that ends a string, unless the string goes on in a further line. */
  #close(rest: Rest, escapes: boolean): "wait" | null {
    const end = rest.at;
    if (escapes) {
      rest.at = end + 1;
      if (match(CONTINUATION, rest) !== null) return null;
      HALF_CONTINUATION.lastIndex = end + 1;
      if (!rest.isFinal && HALF_CONTINUATION.test(rest.text)) {
        rest.at = end;
        return "wait";
      }
    }
    this.#inside = PLAIN;
    rest.at = end + 1;
    return null;
  }

  #token(token: string): void {
    this.#firstToken ??= token;
    this.#lastToken = token;
    this.#isBeginning = false;
  }

  #word(word: string): void {
    const previous = this.#lastToken;
    const isOutside = this.#parentheses === 0;
    this.#firstToken ??= word;
    this.#lastToken = word;
    if (this.#isBeginning && /^(create|or|replace|function|procedure)$/.test(word)) this.#beginning.push(word);
    else this.#isBeginning = false;
    if (this.#firstToken === "copy" && previous === "from" && word === "stdin" && isOutside)
      this.#isCopyFromStdin = true;
    if (!isOutside || !/^create( or replace)? (function|procedure)\b/.test(this.#beginning.join(" "))) return;
    if (word === "atomic" && previous === "begin" && this.#blocks === 0) this.#blocks = 1;
    else if (word === "case" && this.#blocks > 0) this.#blocks++;
    else if (word === "end" && this.#blocks > 0) this.#blocks--;
  }
}

/** Matches a sticky expression at `rest.at` and moves behind it. */
function match(expression: RegExp, rest: Rest): string | null {
  expression.lastIndex = rest.at;
  const found = expression.exec(rest.text);
  if (found === null) return null;
  rest.at = expression.lastIndex;
  return found[0];
}

function indexOf(expression: RegExp, rest: Rest): number | null {
  expression.lastIndex = rest.at;
  return expression.exec(rest.text)?.index ?? null;
}

function keepBack(rest: Rest, length: number): "wait" | null {
  rest.at = rest.isFinal ? rest.text.length : Math.max(rest.at, rest.text.length - length);
  return rest.isFinal ? null : "wait";
}
