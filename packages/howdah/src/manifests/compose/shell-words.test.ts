import fc from "fast-check";
import { expect, it } from "vitest";
import { shellWords } from "./shell-words.js";

it.each<[string, string[] | undefined]>([
  ["", []],
  ["  a  b\tc\n", ["a", "b", "c"]],
  [`--locale='de DE' "x y" z`, ["--locale=de DE", "x y", "z"]],
  [`a\\ b "c\\"d" 'e\\f'`, ["a b", 'c"d', "e\\f"]],
  [`'' ""`, ["", ""]],
  ["a \\\n b", ["a", "b"]],
  [`it's`, undefined],
  [`"open`, undefined],
])("splits %j", (text, words) => expect(shellWords(text)).toEqual(words));

it("reads back any words that are quoted", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (words) => {
      const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
      expect(shellWords(quoted.join(" "))).toEqual(words);
    }),
  );
});
