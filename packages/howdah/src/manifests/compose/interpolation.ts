/**
 * The lexer of compose's interpolation: `$X`, `${X}`, `${X:-y}`, `${X-y}`, `${X:?y}`, `${X?y}`, `${X:+y}`, `${X+y}`
 * with anything of the same kind nested in y, and `$$` for a dollar sign. It decides nothing about values: what it
 * takes for text here is text for ever, so `abc$${def}` names no variable.
 */
export type Operator = ":-" | "-" | ":?" | "?" | ":+" | "+";

export type Segment =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string; readonly operation: Operation | null };

export interface Operation {
  readonly operator: Operator;
  readonly operand: readonly Segment[];
}

export type LexResult =
  | { readonly ok: true; readonly segments: readonly Segment[] }
  | { readonly ok: false; readonly offset: number; readonly problem: string };

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /:[-?+]|[-?+]/y;
const MAX_NESTING = 50;

export function lexInterpolation(text: string): LexResult {
  try {
    const lexer = new Lexer(text);
    return { ok: true, segments: lexer.segments(null) };
  } catch (error) {
    if (error instanceof LexProblem) return { ok: false, offset: error.offset, problem: error.message };
    throw error;
  }
}

/** The inverse: `lexInterpolation(print(segments))` gives the same segments. */
export function printInterpolation(segments: readonly Segment[]): string {
  return segments
    .map((segment) => {
      if (segment.kind === "text") return segment.text.replaceAll("$", "$$$$");
      if (segment.operation === null) return `\${${segment.name}}`;
      return `\${${segment.name}${segment.operation.operator}${printInterpolation(segment.operation.operand)}}`;
    })
    .join("");
}

/** Names that the segments refer to, nested ones included, in order, each once. */
export function variableNames(segments: readonly Segment[]): string[] {
  const names = segments.flatMap((segment) =>
    segment.kind === "text" ? [] : [segment.name, ...variableNames(segment.operation?.operand ?? [])],
  );
  return [...new Set(names)];
}

class LexProblem extends Error {
  constructor(
    readonly offset: number,
    message: string,
  ) {
    super(message);
  }
}

class Lexer {
  #at = 0;
  #nesting = 0;

  constructor(private readonly source: string) {}

  /** Up to the end, or (`opened` is where `${` stood) up to the brace that closes it. */
  segments(opened: number | null): Segment[] {
    const found: Segment[] = [];
    let text = "";
    // JSON in a default, `${X:-{"a":1}}`: braces that open inside the operand close there as well.
    let braces = 0;
    const flush = () => {
      if (text !== "") found.push({ kind: "text", text });
      text = "";
    };
    for (;;) {
      const character = this.source[this.#at];
      if (character === undefined) {
        if (opened !== null) throw new LexProblem(opened, "'${' is not closed");
        flush();
        return found;
      }
      if (opened !== null && character === "}" && braces === 0) {
        this.#at++;
        flush();
        return found;
      }
      if (character === "$") {
        if (this.source[this.#at + 1] === "$") {
          text += "$";
          this.#at += 2;
          continue;
        }
        flush();
        found.push(this.#variable());
        continue;
      }
      if (character === "{") braces++;
      if (character === "}") braces--;
      text += character;
      this.#at++;
    }
  }

  #variable(): Segment {
    const start = this.#at;
    this.#at++;
    if (this.source[this.#at] !== "{") {
      const name = this.#match(NAME);
      if (name === undefined) throw new LexProblem(start, "'$' stands before no variable name");
      return { kind: "variable", name, operation: null };
    }
    this.#at++;
    const name = this.#match(NAME);
    if (name === undefined) throw new LexProblem(start, "'${' stands before no variable name");
    if (this.source[this.#at] === "}") {
      this.#at++;
      return { kind: "variable", name, operation: null };
    }
    if (this.#at >= this.source.length) throw new LexProblem(start, "'${' is not closed");
    const operator = this.#match(OPERATOR) as Operator | undefined;
    if (operator === undefined) throw new LexProblem(start, `'\${${name}' goes on with neither '}' nor an operator`);
    if (++this.#nesting > MAX_NESTING) throw new LexProblem(start, "'${' is nested too deeply");
    const operand = this.segments(start);
    this.#nesting--;
    return { kind: "variable", name, operation: { operator, operand } };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
