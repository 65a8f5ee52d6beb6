import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDotenv } from "./dotenv.js";
import { printInterpolation } from "./interpolation.js";
import { Report } from "./report.js";

function read(text: string, raw = false) {
  const report = new Report();
  const entries = parseDotenv({ file: ".env", text }, report, { raw });
  const values = Object.fromEntries(entries.map((e) => [e.key, e.value === null ? null : printInterpolation(e.value)]));
  return { values, entries, errors: report.diagnostics };
}

describe("parseDotenv", () => {
  it.each<[string, Record<string, string | null>]>([
    ["A=1", { A: "1" }],
    ["A=1\nB=2\r\nC=3\r", { A: "1", B: "2", C: "3" }],
    ["\uFEFFA=1", { A: "1" }],
    ["# comment\n\n  A = 1  # trailing\n", { A: "1" }],
    ["A=a#b # c", { A: "a#b" }],
    ["export A=1", { A: "1" }],
    ["A: yaml", { A: "yaml" }],
    ["A=", { A: "" }],
    ["A", { A: null }],
    ["A=b=c", { A: "b=c" }],
    ["A=1\nA=2", { A: "2" }],
    ["A='single # $X' # comment", { A: "single # $$X" }],
    ["A='it\\'s'", { A: "it's" }],
    ['A="double # ${X}"', { A: "double # ${X}" }],
    ['A="tab\\tline\\nquote\\" dollar\\$X back\\\\"', { A: 'tab\tline\nquote" dollar$$X back\\' }],
    ['A="two\nlines"\nB=1', { A: "two\nlines", B: "1" }],
    ["A='two\nlines'\nB=1", { A: "two\nlines", B: "1" }],
    ["A=${B:-x}/$C/$$D", { A: "${B:-x}/${C}/$$D" }],
    ["a.b-c=1", { "a.b-c": "1" }],
  ])("reads %j", (text, values) => expect(read(text)).toMatchObject({ values, errors: [] }));

  it("takes a raw file as it is written", () => {
    expect(read(`A="b" # $C\nD='`, true).values).toEqual({ A: '"b" # $$C', D: "'" });
  });

  it.each([
    ["A=1\nno line", 2, 1],
    ["  =1", 1, 3],
    ["1A=1", 1, 1],
    ['A=1\nB="open\nC=1', 2, 1],
    ["A='b' c", 1, 1],
    ["A=${", 1, 1],
  ])("reports %j", (text, line, column) => {
    const { errors } = read(text);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ severity: "error", place: { file: ".env", line, column } });
  });

  it("counts lines through values of several lines", () => {
    const { entries } = read("A=\"1\n2\n3\"\n\nB=1\nC='x\ny'\nD=1");
    expect(entries.map(({ key, place }) => [key, place.line])).toEqual([
      ["A", 1],
      ["B", 5],
      ["C", 6],
      ["D", 8],
    ]);
  });

  it("never shows a value in a message", () => {
    expect(JSON.stringify(read('PASSWORD="hunter2\nhunter2 x=hunter2').errors)).not.toContain("hunter2");
  });

  it("gives back any text that is quoted", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const content = value.replace(/\r\n?/g, "\n");
        const quoted = content.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("$", "\\$");
        const { entries, errors } = read(`BEFORE=1\nA="${quoted}"\nAFTER=1`);
        expect(errors).toEqual([]);
        expect(entries.map((e) => e.key)).toEqual(["BEFORE", "A", "AFTER"]);
        expect(entries[1]?.value?.map((s) => (s.kind === "text" ? s.text : "?")).join("") ?? "").toBe(content);
      }),
    );
  });

  it("reads any text without an exception, each line once", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-C='"#$\\{}\n: ]*$/), (text) => {
        const { entries, errors } = read(text);
        for (const { place } of [...entries, ...errors]) {
          expect(place?.line).toBeLessThanOrEqual(text.split("\n").length);
        }
      }),
    );
  });
});
