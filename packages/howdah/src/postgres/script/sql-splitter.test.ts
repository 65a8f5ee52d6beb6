import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Piece, SqlSplitter } from "./sql-splitter.js";

/** Cuts a text that arrives in the given chunks. */
function split(chunks: readonly string[], standardConformingStrings = true): Piece[] {
  const splitter = new SqlSplitter();
  splitter.standardConformingStrings = standardConformingStrings;
  const pieces: Piece[] = [];
  const drain = () => {
    for (let piece = splitter.next(); piece !== null; piece = splitter.next()) pieces.push(piece);
  };
  for (const chunk of chunks) {
    splitter.push(chunk);
    drain();
  }
  splitter.end();
  drain();
  return pieces;
}

const statements = (text: string, scs = true) =>
  split([text], scs)
    .filter((p) => p.kind === "statement" || p.kind === "copy")
    .map((p) => p.text);
const joined = (pieces: readonly Piece[]) => pieces.map((p) => p.text).join("");
/** Neighbouring pieces of spaces and of data may be cut anywhere. */
function merged(pieces: readonly Piece[]): { kind: string; text: string; line: number }[] {
  const result: { kind: string; text: string; line: number }[] = [];
  for (const { kind, text, line } of pieces) {
    const last = result.at(-1);
    if (last?.kind === kind && (kind === "space" || kind === "copy-data")) last.text += text;
    else result.push({ kind, text, line });
  }
  return result;
}

/** Parts of statements in which a semicolon, quote or backslash means nothing. */
const inner = fc.string({
  unit: fc.constantFrom(";", "'", '"', "\\", "$", "-", "/", "*", "a", "é", "😀", "\n", " ", "(", "E"),
});
const opaque = fc.oneof(
  // The comma keeps it from continuing a literal on the line before, whose escapes would then be in force.
  inner.map((s) => `,'${s.replaceAll("'", "''")}'`),
  inner.map((s) => ` E'${s.replace(/[\\']/g, (c) => `\\${c}`)}'`),
  inner.map((s) => ` U&'${s.replaceAll("'", "''")}'`),
  inner.map((s) => `"${s.replaceAll('"', '""')}"`),
  fc
    .tuple(inner, fc.constantFrom("$$", "$a$", "$_b1$", "$é$"))
    .filter(([s, tag]) => !`${s}${tag}`.slice(0, -1).includes(tag))
    .map(([s, tag]) => ` ${tag}${s}${tag}`),
  inner.filter((s) => !/\*\/|\/\*/.test(s) && !/[*/]$/.test(s)).map((s) => `/* ${s} /* ${s} */ ${s} */`),
  inner.map((s) => `--${s.replaceAll("\n", "")}\n`),
  fc.constantFrom(" ( select 1; ) ", " (;(;);) "),
);
const words = fc.constantFrom(
  "select",
  "a$b$c",
  "x",
  " 12.5e3 ",
  " $1 ",
  ",",
  " = ",
  "\n",
  "\t",
  " - ",
  " / ",
  "schön",
  "😀",
  "::int",
  "end",
  "begin",
);
const statement = fc
  .array(fc.oneof(opaque, words), { minLength: 0, maxLength: 8 })
  .map((parts) => `select ${parts.join(" ")} ;`);

describe("the splitter", () => {
  it("cuts exactly at the semicolons outside of everything", () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 6 }), (list) => {
        expect(statements(list.join("\n"))).toEqual(list);
      }),
      { numRuns: 1_000 },
    );
  });

  it("loses no character of any text, however it arrives", () => {
    const anything = fc.string({
      unit: fc.constantFrom(
        ";",
        "'",
        '"',
        "\\",
        "\\.",
        "$",
        "$a$",
        "--",
        "/*",
        "*/",
        "E'",
        "(",
        ")",
        "a",
        "1",
        "\n",
        "\r\n",
        " ",
        "copy t from stdin;",
        "é",
      ),
    });
    const cuts = fc.array(fc.nat({ max: 12 }));
    fc.assert(
      fc.property(anything, cuts, (text, lengths) => {
        const chunks: string[] = [];
        let at = 0;
        for (const length of lengths) {
          chunks.push(text.slice(at, at + length));
          at += length;
        }
        chunks.push(text.slice(at));
        let whole: Piece[];
        try {
          whole = split([text]);
        } catch (error) {
          // Text behind COPY … FROM stdin; on its own line.
          expect(() => split(chunks)).toThrow((error as Error).message);
          return;
        }
        expect(joined(whole)).toBe(text);
        expect(merged(split(chunks))).toEqual(merged(whole));
        for (const piece of whole) {
          const before = joined(whole.slice(0, whole.indexOf(piece)));
          expect(piece.line).toBe(before.split("\n").length);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ["nothing", "", []],
    ["only comments", "-- a;\n/* b; /* c; */ ; */ ;;\n", []],
    ["an end without semicolon", "select 1;\nselect 2", ["select 1;", "select 2"]],
    ["a comment at the end", "select 1; -- done", ["select 1;"]],
    ["dollars in names", "select a$x$; select b$x$;", ["select a$x$;", "select b$x$;"]],
    ["dollars behind numbers and parameters", "select $1;select 1$a$;$a$;", ["select $1;", "select 1$a$;$a$;"]],
    ["tags inside other tags", "do $a$ $$;$$ $b$;$b$ $a$;select 1;", ["do $a$ $$;$$ $b$;$b$ $a$;", "select 1;"]],
    ["escapes only in E'…'", "select 'a\\'; select E'a\\';';", ["select 'a\\';", "select E'a\\';';"]],
    ["E at the end of a name", "select nameE'x\\';", ["select nameE'x\\';"]],
    [
      "an E'…' that goes on",
      "select E'a' -- c\n  'b\\';c' ; select 1;",
      ["select E'a' -- c\n  'b\\';c' ;", "select 1;"],
    ],
    ["operators beside comments", "select 1 +-- ;\n 2;select 4/*;*//2;", ["select 1 +-- ;\n 2;", "select 4/*;*//2;"]],
    [
      "rules with several statements",
      "create rule r as on insert to t do (select 1; select 2); select 3;",
      ["create rule r as on insert to t do (select 1; select 2);", "select 3;"],
    ],
    ["transactions", "begin; select 1; end; select 2;", ["begin;", "select 1;", "end;", "select 2;"]],
  ])("understands %s", (_, text, expected) => {
    expect(statements(text)).toEqual(expected);
  });

  it("keeps the bodies of SQL functions whole", () => {
    const body =
      "create or replace function f(a int default (1)) returns int language sql\nbegin atomic\n select case when a > 0 then 1 else 2 end; select 2;\nend;";
    expect(statements(`${body} select 1;`)).toEqual([body, "select 1;"]);
    const procedure = "CREATE PROCEDURE p() BEGIN ATOMIC; INSERT INTO t VALUES (1); END;";
    expect(statements(`${procedure}\ncommit;`)).toEqual([procedure, "commit;"]);
    // Not a body: a column named begin, and CASE outside of functions.
    expect(statements('create table "t" (begin int); select case when 1=1 then 1 end; select 2;')).toHaveLength(3);
    expect(statements("create function g() returns int language sql as 'select 1; select 2'; select 3;")).toHaveLength(
      2,
    );
  });

  it("follows standard_conforming_strings", () => {
    expect(statements("select 'a\\';b'; select 1;", false)).toEqual(["select 'a\\';b';", "select 1;"]);
  });

  it("gives the rows of COPY to COPY", () => {
    const text =
      "copy t (a, b) from stdin;\n1\tx;y\n\\.z\n2\t'\n\\.\nselect 1;\nCOPY u FROM STDIN WITH (format csv);\n\\.\n";
    expect(merged(split([text]))).toEqual([
      { kind: "copy", text: "copy t (a, b) from stdin;", line: 1 },
      { kind: "space", text: "\n", line: 1 },
      { kind: "copy-data", text: "1\tx;y\n\\.z\n2\t'\n", line: 2 },
      { kind: "copy-end", text: "\\.\n", line: 5 },
      { kind: "statement", text: "select 1;", line: 6 },
      { kind: "space", text: "\n", line: 6 },
      { kind: "copy", text: "COPY u FROM STDIN WITH (format csv);", line: 7 },
      { kind: "space", text: "\n", line: 7 },
      { kind: "copy-end", text: "\\.\n", line: 8 },
    ]);
    expect(split(["copy t from stdin;\r\n1\r\n\\.\r\nselect 1;"]).map((p) => p.kind)).toEqual([
      "copy",
      "space",
      "copy-data",
      "copy-end",
      "statement",
    ]);
    // Without its end the data end with the text.
    expect(split(["copy t from stdin;\n1\n"]).map((p) => p.kind)).toEqual(["copy", "space", "copy-data", "copy-end"]);
    // These are no such thing.
    for (const other of [
      "copy t to stdout;",
      "copy t from '/x';",
      "select 'copy t from stdin';",
      "copy (select 1 from stdin) to stdout;",
      "select a from stdin;",
    ]) {
      expect(split([other])[0]?.kind).toBe("statement");
    }
    expect(() => split(["copy t from stdin; select 1;\n\\.\n"])).toThrow("the data of COPY begin on the next line");
  });

  it("leaves backslash commands to others", () => {
    expect(merged(split(["select 1 \\gexec\n\\connect x\nselect '\\d';"]))).toEqual([
      { kind: "statement", text: "select 1 ", line: 1 },
      { kind: "command", text: "\\gexec", line: 1 },
      { kind: "space", text: "\n", line: 1 },
      { kind: "command", text: "\\connect x", line: 2 },
      { kind: "space", text: "\n", line: 2 },
      { kind: "statement", text: "select '\\d';", line: 3 },
    ]);
  });

  it("does not slow down with the length of a statement or the number of chunks", () => {
    const chunk = `('${"x".repeat(65_500)}'),\n`;
    const pieces = split(["insert into t values\n", ...Array<string>(500).fill(chunk), "(1);"]);
    expect(pieces).toHaveLength(1);
    expect(pieces[0]?.text.length).toBe(500 * chunk.length + 25);
    const blanks = `select E'a'${" ".repeat(100_000)}x;`;
    expect(statements(blanks)).toEqual([blanks]);
  });
});
