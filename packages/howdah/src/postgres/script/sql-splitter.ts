import { ScriptFault } from "./script-fault.js";
import { type Rest, StatementScanner } from "./statement-scanner.js";

/**
 * Cuts the text of a psql script into statements, inline COPY data and backslash commands, as psql reads it.
 *
 * Text is pushed in chunks of any size and pieces are pulled one at a time, so that a dump of gigabytes needs the
 * memory of its longest statement, and that what a statement changed (standard_conforming_strings) holds from the
 * next one on. The texts of all pieces together are the input, character by character.
 */
export type Piece =
  /** Blanks, comments, empty statements. */
  | { readonly kind: "space"; readonly text: string; readonly line: number }
  /** One statement, with its semicolon; without one where a backslash command or the end of the text comes first. */
  | { readonly kind: "statement"; readonly text: string; readonly line: number; readonly isEnded: boolean }
  /** COPY … FROM stdin; any number of "copy-data" and one "copy-end" follow. */
  | { readonly kind: "copy"; readonly text: string; readonly line: number }
  | { readonly kind: "copy-data"; readonly text: string; readonly line: number }
  /** The line `\.`; empty when the text ended without it. */
  | { readonly kind: "copy-end"; readonly text: string; readonly line: number }
  /** From a backslash to the end of its line. */
  | { readonly kind: "command"; readonly text: string; readonly line: number };

type Mode = "space" | "statement" | "copy-tail" | "copy-data" | "command";

const BLANKS = /[ \t\n\r\f\v;]+/y;
const LINE_COMMENT = /--[^\n\r]*/y;
/** PostgreSQL's text format for "no more rows", alone on its line. */
const END_OF_DATA = "\\.";

export class SqlSplitter {
  /** As the session has it: off means that backslashes escape in ordinary '…' as well. */
  standardConformingStrings = true;

  #mode: Mode = "space";
  /** Text that has not been read. */
  #window = "";
  /** What was read of the current piece and is no longer in the window. */
  #parts: string[] = [];
  #isFinal = false;
  #line = 1;
  #scanner = new StatementScanner();
  /** Whether the copy data in the window begin with the beginning of a line. */
  #atLineStart = true;
  /** Depth of the block comment that stands before a statement. */
  #commentDepth = 0;

  push(text: string): void {
    this.#window = this.#window === "" ? text : this.#window + text;
  }

  /** No more text will come. */
  end(): void {
    this.#isFinal = true;
  }

  /** The next piece; null: push more text, or, after `end`, all is told. Throws ScriptFault. */
  next(): Piece | null {
    for (;;) {
      if (this.#window === "" && !this.#isFinal) return null;
      switch (this.#mode) {
        case "space": {
          const text = this.#readSpace();
          if (text !== "") return this.#piece("space", text);
          if (this.#mode === "space") return null;
          break;
        }
        case "statement": {
          const piece = this.#readStatement();
          if (piece !== undefined) return piece;
          break;
        }
        case "command":
          return this.#readLine("command", "space");
        case "copy-tail": {
          const piece = this.#readLine("space", "copy-data");
          if (piece !== null && !/^[ \t\r\f\v]*(--.*)?\n?$/.test(piece.text)) {
            throw new ScriptFault(piece.line, "the data of COPY begin on the next line, but text follows on its own");
          }
          return piece;
        }
        case "copy-data":
          return this.#readCopyData();
      }
    }
  }

  /** Blanks and comments before a statement; "" when something else comes next (the mode has changed) or is missing. */
  #readSpace(): string {
    const window = this.#window;
    let at = 0;
    while (at < window.length) {
      const next = this.#commentDepth > 0 ? this.#skipBlockComment(at) : this.#skipBlank(at);
      if (next === null) break;
      if (next === at) {
        this.#mode = window[at] === "\\" ? "command" : "statement";
        this.#scanner = new StatementScanner();
        break;
      }
      at = next;
    }
    return this.#cut(at);
  }

  /** Where the blank or comment at `at` ends; `at` itself when there is none; null when more text must tell. */
  #skipBlank(at: number): number | null {
    const window = this.#window;
    BLANKS.lastIndex = at;
    if (BLANKS.test(window)) return BLANKS.lastIndex;
    const two = window.slice(at, at + 2);
    if ((two === "-" || two === "/") && !this.#isFinal) return null;
    if (two === "--") {
      LINE_COMMENT.lastIndex = at;
      LINE_COMMENT.test(window);
      // Its end may not be here yet, but then the rest of it would look like a statement.
      return LINE_COMMENT.lastIndex < window.length || this.#isFinal ? LINE_COMMENT.lastIndex : null;
    }
    if (two !== "/*") return at;
    this.#commentDepth = 1;
    return at + 2;
  }

  #skipBlockComment(from: number): number | null {
    const marks = /\/\*|\*\//g;
    let read = from;
    marks.lastIndex = from;
    for (let match = marks.exec(this.#window); match !== null; match = marks.exec(this.#window)) {
      this.#commentDepth += match[0] === "/*" ? 1 : -1;
      read = marks.lastIndex;
      if (this.#commentDepth === 0) return read;
    }
    // The last character may be half a mark.
    read = Math.max(read, this.#isFinal ? this.#window.length : this.#window.length - 1);
    return read > from ? read : null;
  }

  #readStatement(): Piece | null | undefined {
    this.#scanner.standardConformingStrings = this.standardConformingStrings;
    const rest: Rest = { text: this.#window, at: 0, isFinal: this.#isFinal };
    const found = this.#scanner.scan(rest);
    if (found === "more") {
      if (!this.#isFinal) {
        this.#parts.push(this.#window.slice(0, rest.at));
        this.#window = this.#window.slice(rest.at);
        return null;
      }
      rest.at = this.#window.length;
    }
    const text = this.#parts.join("") + this.#window.slice(0, rest.at);
    this.#parts = [];
    this.#window = this.#window.slice(rest.at);
    const line = this.#count(text);
    if (found === "semicolon" && this.#scanner.isCopyFromStdin) {
      this.#mode = "copy-tail";
      return { kind: "copy", text, line };
    }
    this.#mode = found === "backslash" ? "command" : "space";
    return { kind: "statement", text, line, isEnded: found === "semicolon" };
  }

  /** The rest of the line. A command leaves its line break to what follows; the line of COPY takes it along. */
  #readLine(kind: "command" | "space", then: Mode): Piece | null {
    const end = this.#window.indexOf("\n");
    if (end < 0 && !this.#isFinal) return null;
    this.#mode = then;
    this.#atLineStart = true;
    const length = end < 0 ? this.#window.length : kind === "command" ? end : end + 1;
    if (length === 0 && kind === "space" && end < 0) return this.#readCopyData();
    return this.#piece(kind, this.#cut(length));
  }

  #readCopyData(): Piece | null {
    const window = this.#window;
    const end = this.#findEndOfData();
    if (end === 0) {
      const eol = window.indexOf("\n");
      this.#mode = "space";
      return this.#piece("copy-end", this.#cut(eol < 0 ? window.length : eol + 1));
    }
    if (end !== null) {
      this.#atLineStart = true;
      return this.#piece("copy-data", this.#cut(end));
    }
    if (this.#isFinal) {
      if (window === "") this.#mode = "space";
      return this.#piece(window === "" ? "copy-end" : "copy-data", this.#cut(window.length));
    }
    // Keep back a last line that may turn out to be the end.
    const lineStart = window.lastIndexOf("\n") + 1;
    const mayBeEnd =
      (lineStart > 0 || this.#atLineStart) && /^(\\(\.\r?)?)?$/.test(window.slice(lineStart, lineStart + 4));
    const length = mayBeEnd ? lineStart : window.length;
    if (length === 0) return null;
    this.#atLineStart = length === lineStart;
    return this.#piece("copy-data", this.#cut(length));
  }

  /** Where the line `\.` begins, if the window holds all of it. */
  #findEndOfData(): number | null {
    const window = this.#window;
    for (let at = window.indexOf(END_OF_DATA); at >= 0; at = window.indexOf(END_OF_DATA, at + 2)) {
      const startsLine = at === 0 ? this.#atLineStart : window[at - 1] === "\n";
      const behind = window.slice(at + 2, at + 4);
      const endsLine = /^\r?\n/.test(behind) || (this.#isFinal && /^\r?$/.test(behind));
      if (startsLine && endsLine) return at;
    }
    return null;
  }

  #cut(length: number): string {
    const text = this.#window.slice(0, length);
    this.#window = this.#window.slice(length);
    return text;
  }

  #piece(kind: "space" | "copy-data" | "copy-end" | "command", text: string): Piece {
    return { kind, text, line: this.#count(text) };
  }

  /** The line on which a text begins; counts those in it. */
  #count(text: string): number {
    const line = this.#line;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#line++;
    return line;
  }
}
