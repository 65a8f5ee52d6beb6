import { describe, expect, it } from "vitest";
import { parseConfigSet } from "./config-set-form.js";

describe("parseConfigSet", () => {
  it.each([
    [["A=1"], {}, { kind: "pairs", values: { A: "1" } }],
    [["A=1", "B=", "C=x=y z"], {}, { kind: "pairs", values: { A: "1", B: "", C: "x=y z" } }],
    [["A"], {}, { kind: "prompt", name: "A" }],
    [["A", "-"], {}, { kind: "stdin", name: "A" }],
    [["A", "secret.txt"], {}, { kind: "file", name: "A", file: "secret.txt" }],
    [["A"], { random: true }, { kind: "random", name: "A" }],
    [["A"], { env: true }, { kind: "environment", name: "A" }],
    [[], { envFile: "x.env" }, { kind: "env-file", file: "x.env" }],
  ])("%j with %j", (words, options, source) => {
    expect(parseConfigSet(words, options)).toEqual(source);
  });

  it.each([
    [[], {}, "no config is named"],
    [["A=1"], { random: true }, "--random and a value exclude each other"],
    [["A", "file"], { random: true }, "--random takes one name"],
    [["A", "-"], { env: true }, "--env takes one name"],
    [["A"], { envFile: "f" }, "--env-file takes no names"],
    [["A=1", "B"], {}, "names with and without a value are mixed"],
    [["A", "file", "more"], {}, "too many words"],
    [["A=1", "A=2"], {}, "'A' is given twice"],
  ])("refuses %j with %j", (words, options, message) => {
    expect(() => parseConfigSet(words, options)).toThrow(message);
  });

  it("never shows a value in its refusals", () => {
    for (const words of [
      ["A=hunter2", "B"],
      ["A=hunter2", "A=hunter2"],
      ["=hunter2", "=hunter2"],
    ]) {
      try {
        parseConfigSet(words, {});
        expect.unreachable();
      } catch (error) {
        expect(String(error)).not.toContain("hunter2");
      }
    }
  });
});
