import { expect, it } from "vitest";
import { Report } from "./report.js";
import { type Node, readYaml } from "./yaml-tree.js";

function read(text: string) {
  const report = new Report();
  return { node: readYaml({ file: "c.yaml", text }, report), errors: report.diagnostics };
}

function plain(node: Node | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === "scalar") return node.value === null ? null : node.text;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
}

it("keeps scalars as they are written", () => {
  const { node } = read("a: 0123\nb: 1.10\nc: yes\nd: ~\ne:\nf: '5'\ng: 0x10\nh: 22:22\n");
  expect(plain(node)).toEqual({ a: "0123", b: "1.10", c: "yes", d: null, e: null, f: "5", g: "0x10", h: "22:22" });
});

it("resolves aliases and merge keys, own keys and earlier maps first", () => {
  const { node } = read("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: *a\ne: {'<<': 1}\n");
  expect(plain(node)).toMatchObject({ c: { x: "3", y: "1", z: "2" }, d: { x: "1", y: "1" }, e: { "<<": "1" } });
});

it("tells every place, through CRLF and a byte order mark too", () => {
  const { node } = read("\uFEFFa: 1\r\nb:\r\n  - c\r\n");
  if (node?.kind !== "map") throw new Error("no map");
  expect(node.entries[1]).toMatchObject({ keyPlace: { file: "c.yaml", line: 2, column: 1 } });
  expect(node.entries[1]?.value).toMatchObject({ items: [{ place: { line: 3, column: 5 } }] });
});

it.each([
  ["a: 1\na: 2", "key 'a' stands twice, first at 1:1", 2, 1],
  ["a: *b", "alias '*b' names no anchor", 1, 4],
  ["a: &a [*a]", "alias '*a' contains itself", 1, 8],
  ["? [a]\n: b", "a key that is no text", 1, 3],
  ["a: {<<: 1}", "'<<' takes a map or a list of maps", 1, 9],
  ["a: 1\n---\nb: 2", "a second YAML document in a compose file", 3, 1],
  ["a: [1, 2", "flow sequence", 1, 9],
  ["", "the file is empty", 1, 1],
  ["# only a comment", "the file is empty", 1, 1],
])("reports %j", (text, message, line, column) => {
  const { errors } = read(text);
  expect(errors[0]?.message).toContain(message);
  expect(errors[0]).toMatchObject({ severity: "error", place: { line, column } });
});

it("does not let a few aliases fill the memory", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(", ")}]`,
    );
  expect(read(lines.join("\n")).errors).toMatchObject([{ code: "yaml-too-large" }]);
});

it.each(["[", "- ", "{a: ", "? "])("reports nesting that no file has: %j", (opening) => {
  const { errors } = read(opening.repeat(20_000));
  expect(errors).toMatchObject([{ code: "yaml-too-large" }]);
});

it("never quotes the source, which may hold a secret", () => {
  expect(JSON.stringify(read('password: "hunter2\nx: [').errors)).not.toContain("hunter2");
});
