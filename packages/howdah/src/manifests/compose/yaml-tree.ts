/**
 * YAML text → a plain tree in which every key and value knows its place. Aliases and merge keys are resolved, duplicate
 * keys are errors. Everything behind this file works on the tree; a value without a place would be a diagnostic
 * without a line. Growth through aliases is bounded, so that a few lines cannot fill the memory.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type Node as YamlNode,
} from "yaml";
import type { Place } from "../../kernel/errors.js";
import type { Report } from "./report.js";
import type { TextFile } from "./types.js";

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | bigint | boolean | null;
  /** As written: `0123` stays `0123`, although YAML's number is 123. */
  readonly text: string;
  readonly place: Place;
  readonly tag?: string;
}
export interface ListNode {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly place: Place;
  readonly tag?: string;
}
export interface Entry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: Node;
}
export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly Entry[];
  readonly place: Place;
  readonly tag?: string;
}
export type Node = ScalarNode | ListNode | MapNode;

const MAX_NODES = 100_000;
const MAX_DEPTH = 200;
/** Tags that compose gives a meaning when files are merged. */
const MERGE_TAGS = ["!reset", "!override"];

/** undefined when the text is empty or no YAML; the reason is in the report. */
export function readYaml({ file, text }: TextFile, report: Report): Node | undefined {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(Math.max(offset, 0), text.length));
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // The parser keeps its own stack, the composer behind it recurses: near the end of the stack that ends the whole
  // process, so depth is measured in between.
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = deeperThan(tokens, MAX_DEPTH);
  if (tooDeep !== undefined) {
    report.error("yaml-too-large", `the file is nested more than ${MAX_DEPTH} levels deep`, place(tooDeep));
    return undefined;
  }
  const documents = [...new Composer({ uniqueKeys: false, logLevel: "silent" }).compose(tokens)];
  const [document, second] = documents;
  if (document === undefined || document.contents === null) {
    report.error("yaml-empty", "the file is empty", place(0), "Write at least 'services:' with one service.");
    return undefined;
  }
  for (const { errors } of documents) {
    for (const error of errors) report.error("yaml-syntax", firstLine(error.message), place(error.pos[0]));
  }
  if (second !== undefined) {
    const hint = "Keep one compose file a project, or put the rest into compose.override.yaml.";
    report.error(
      "yaml-documents",
      "a second YAML document in a compose file",
      place(second.contents?.range?.[0] ?? second.range[0]),
      hint,
    );
  }
  if (second !== undefined || documents.some(({ errors }) => errors.length > 0)) return undefined;
  return new TreeBuilder(document, place, report).build(document.contents);
}

class TreeBuilder {
  #count = 0;
  #stopped = false;
  readonly #open: YamlNode[] = [];

  constructor(
    private readonly document: Document.Parsed,
    private readonly place: (offset: number) => Place,
    private readonly report: Report,
  ) {}

  build(root: YamlNode): Node | undefined {
    const node = this.#node(root, this.place(0));
    return this.#stopped ? undefined : node;
  }

  #node(node: YamlNode | null | undefined, fallback: Place): Node {
    const place = node?.range ? this.place(node.range[0]) : fallback;
    const nothing: ScalarNode = { kind: "scalar", value: null, text: "", place };
    if (node === null || node === undefined || this.#stopped) return nothing;
    if (++this.#count > MAX_NODES || this.#open.length > MAX_DEPTH) {
      return this.#stop(nothing, "yaml-too-large", "the file grows beyond what Howdah reads");
    }
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      if (target === undefined) return this.#stop(nothing, "yaml-alias", `alias '*${node.source}' names no anchor`);
      if (this.#open.includes(target)) {
        return this.#stop(nothing, "yaml-alias", `alias '*${node.source}' contains itself`);
      }
      return this.#node(target, place);
    }
    this.#open.push(node);
    try {
      return this.#content(node, place);
    } finally {
      this.#open.pop();
    }
  }

  #content(node: YamlNode, place: Place): Node {
    const tag = this.#tag(node, place);
    if (isMap(node)) return { kind: "map", entries: this.#entries(node.items, place), place, ...tag };
    if (isSeq(node)) {
      return {
        kind: "list",
        items: node.items.map((item) => this.#node(item as YamlNode | null, place)),
        place,
        ...tag,
      };
    }
    const { value, source } = isScalar(node) ? node : { value: null, source: "" };
    const known = value === null || ["string", "number", "bigint", "boolean"].includes(typeof value);
    const scalar = known ? (value as ScalarNode["value"]) : String(value);
    return { kind: "scalar", value: scalar, text: source ?? String(value ?? ""), place, ...tag };
  }

  #tag(node: YamlNode, place: Place): { tag?: string } {
    const tag = node.tag;
    if (tag === undefined || tag.startsWith("tag:yaml.org,2002:") || tag === "!") return {};
    if (MERGE_TAGS.includes(tag)) return { tag };
    this.report.warning("yaml-tag", `tag '${tag}' has no meaning here`, place);
    return {};
  }

  #entries(items: readonly { key: unknown; value: unknown }[], mapPlace: Place): Entry[] {
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const { key: rawKey, value: rawValue } of items) {
      const keyNode = this.#node(rawKey as YamlNode | null, mapPlace);
      if (this.#stopped) break;
      if (keyNode.kind !== "scalar" || keyNode.value === null) {
        this.report.error("yaml-key", "a key that is no text", keyNode.place);
        continue;
      }
      const isMerge = keyNode.text === "<<" && isScalar(rawKey) && rawKey.type === "PLAIN";
      const value = this.#node(rawValue as YamlNode | null, keyNode.place);
      if (isMerge) {
        this.#merge(value, merged);
        continue;
      }
      const first = own.get(keyNode.text);
      if (first !== undefined) {
        const where = `${first.keyPlace.line}:${first.keyPlace.column}`;
        this.report.error("duplicate-key", `key '${keyNode.text}' stands twice, first at ${where}`, keyNode.place);
        continue;
      }
      own.set(keyNode.text, { key: keyNode.text, keyPlace: keyNode.place, value });
    }
    return [...own.values(), ...[...merged.values()].filter((entry) => !own.has(entry.key))];
  }

  /** Of several merged maps the first that has a key wins, as YAML's merge type says. */
  #merge(value: Node, into: Map<string, Entry>): void {
    for (const source of value.kind === "list" ? value.items : [value]) {
      if (source.kind !== "map") {
        this.report.error("yaml-merge", "'<<' takes a map or a list of maps", source.place);
        continue;
      }
      for (const entry of source.entries) if (!into.has(entry.key)) into.set(entry.key, entry);
    }
  }

  #stop(nothing: ScalarNode, code: string, message: string): ScalarNode {
    if (!this.#stopped) this.report.error(code, message, nothing.place);
    this.#stopped = true;
    return nothing;
  }
}

/** The offset of the first token that lies deeper, or undefined. Iterative, for the reason above. */
function deeperThan(tokens: readonly CST.Token[], limit: number): number | undefined {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > limit) return "offset" in token ? token.offset : 0;
    const inner: (CST.Token | null | undefined)[] = [];
    if (token.type === "document") inner.push(token.value);
    if ("items" in token) for (const item of token.items) inner.push(item.key, item.value);
    for (const child of inner) if (child) open.push({ token: child, depth: depth + 1 });
  }
  return undefined;
}

/** The library's message without the excerpt of the source that it appends (which could show a secret). */
function firstLine(message: string): string {
  const line = (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
  return line.charAt(0).toLowerCase() + line.slice(1);
}
