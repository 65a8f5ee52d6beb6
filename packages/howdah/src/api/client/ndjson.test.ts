import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLines } from "./ndjson.js";

async function* chunks(parts: readonly string[]): AsyncGenerator<string> {
  yield* parts;
}

async function all(parts: readonly string[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of parseLines(chunks(parts))) values.push(value);
  return values;
}

test("wherever the text is split, the same values come out", async () => {
  const values = [{ message: "größer — 大" }, { a: "line\nbreak" }, 1, null, ["x"]];
  const text = `\n${values.map((v) => JSON.stringify(v)).join("\n")}\n`;
  for (let at = 0; at <= text.length; at++) {
    expect(await all([text.slice(0, at), text.slice(at)])).toEqual(values);
  }
  expect(await all([...text])).toEqual(values);
});

test("any JSON values survive the round trip", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), async (values) => {
      const lines = values.map((v) => `${JSON.stringify(v)}\n`);
      expect(await all(lines)).toEqual(values.map((v) => JSON.parse(JSON.stringify(v))));
    }),
  );
});

test("a text that ends in the middle of a value is an error", async () => {
  await expect(all(['{"a":1}\n{"b":'])).rejects.toThrow(SyntaxError);
});
