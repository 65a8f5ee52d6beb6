import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lexInterpolation, type Operator, printInterpolation, type Segment, variableNames } from "./interpolation.js";

const variable = (name: string, operator?: Operator, ...operand: Segment[]): Segment => ({
  kind: "variable",
  name,
  operation: operator === undefined ? null : { operator, operand },
});
const text = (content: string): Segment => ({ kind: "text", text: content });

describe("lexInterpolation", () => {
  it.each<[string, Segment[]]>([
    ["", []],
    ["plain", [text("plain")]],
    ["$X", [variable("X")]],
    ["${X}", [variable("X")]],
    ["a$X-b", [text("a"), variable("X"), text("-b")]],
    ["${X:-y}", [variable("X", ":-", text("y"))]],
    ["${X-}", [variable("X", "-")]],
    ["${X:?is needed}", [variable("X", ":?", text("is needed"))]],
    ["${X?}", [variable("X", "?")]],
    ["${X:+y}${X+y}", [variable("X", ":+", text("y")), variable("X", "+", text("y"))]],
    ["${A:-${B-$C}}", [variable("A", ":-", variable("B", "-", variable("C")))]],
    ['${J:-{"a":{}}}!', [variable("J", ":-", text('{"a":{}}')), text("!")]],
    ["$$", [text("$")]],
    ["abc$${def}", [text("abc${def}")]],
    ["$$$X", [text("$"), variable("X")]],
    ["a}b{c", [text("a}b{c")]],
  ])("reads %j", (source, segments) => expect(lexInterpolation(source)).toEqual({ ok: true, segments }));

  it.each([
    ["$", 0],
    ["a$1", 1],
    ["x${", 1],
    ["${X", 0],
    ["${X:-${Y}", 0],
    ["${X:=y}", 0],
    ["${X y}", 0],
    ["${1}", 0],
  ])("refuses %j at offset %i", (source, offset) =>
    expect(lexInterpolation(source)).toMatchObject({ ok: false, offset }),
  );

  it("stops at deep nesting instead of running out of stack", () => {
    expect(lexInterpolation(`${"${A:-".repeat(100_000)}x${"}".repeat(100_000)}`)).toMatchObject({ ok: false });
  });
});

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const operator = fc.constantFrom<Operator>(":-", "-", ":?", "?", ":+", "+");
/** Adjacent texts would be read as one. */
function joined(segments: Segment[]): Segment[] {
  const all: Segment[] = [];
  for (const segment of segments) {
    const last = all.at(-1);
    if (segment.kind === "text" && last?.kind === "text") all.splice(-1, 1, text(last.text + segment.text));
    else all.push(segment);
  }
  return all;
}
const { segments } = fc.letrec<{ segments: Segment[]; operand: Segment[] }>((tie) => ({
  segments: fc
    .array(fc.oneof(fc.string({ minLength: 1 }).map(text), variableOf(name, tie("operand"))), { maxLength: 4 })
    .map(joined),
  // Braces in an operand are read in pairs; a lone one cannot be written.
  operand: fc
    .array(
      fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.stringMatching(/^[^{}]+$/).map(text),
        variableOf(name, tie("operand")),
      ),
      { maxLength: 3 },
    )
    .map(joined),
}));

function variableOf(names: fc.Arbitrary<string>, operands: fc.Arbitrary<Segment[]>): fc.Arbitrary<Segment> {
  return fc.oneof(
    names.map((n) => variable(n)),
    fc.tuple(names, operator, operands).map(([n, o, operand]) => variable(n, o, ...operand)),
  );
}

describe("printInterpolation", () => {
  it("is read back as the same segments", () => {
    fc.assert(
      fc.property(segments, (value) => {
        expect(lexInterpolation(printInterpolation(value))).toEqual({ ok: true, segments: value });
      }),
    );
  });

  it("writes any text so that it names no variable", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (content) => {
        const result = lexInterpolation(content.replaceAll("$", "$$$$"));
        expect(result.ok && variableNames(result.segments)).toEqual([]);
        expect(result.ok && result.segments.map((s) => (s.kind === "text" ? s.text : "")).join("")).toBe(content);
      }),
    );
  });
});

it("lexing any text ends in segments or in an offset within it", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[$${}:?+\-A-Za-z ]*$/), (source) => {
      const result = lexInterpolation(source);
      if (!result.ok) expect(source[result.offset]).toBe("$");
    }),
  );
});
