/**
 * Merges `compose.override.yaml` over the main file, as the compose specification says: maps key by key, scalars and
 * commands replaced, other lists put together; `!reset` takes a value away, `!override` replaces it whole.
 */
import type { Entry, ListNode, MapNode, Node } from "./yaml-tree.js";

/** Lists that are one value, not a collection. */
const REPLACED = ["command", "entrypoint", "test"];
/** May be a list of `KEY=VALUE` as well as a map. */
const KEYED = ["environment", "labels", "annotations", "args", "extra_hosts", "sysctls"];
/** May be a list of names as well as a map of them. */
const NAMED = ["depends_on", "networks"];
/** Collections in which one target is given once. */
const BY_TARGET = ["volumes", "configs", "secrets"];

export function mergeOverride(base: Node, over: Node): Node {
  return merge(base, over, []);
}

/** `path` leads from the root to the two nodes; below a service (`services`, its name, a key) names have meanings. */
function merge(base: Node, over: Node, path: readonly string[]): Node {
  const key = path.length >= 3 ? (path.at(-1) ?? "") : "";
  if (over.tag === "!override") return over;
  if (KEYED.includes(key)) return mergeMaps(keyed(base), keyed(over), over, path, true);
  if (NAMED.includes(key) && base.kind !== over.kind) return mergeMaps(named(base), named(over), over, path);
  if (base.kind === "map" && over.kind === "map") return mergeMaps(base, over, over, path);
  if (base.kind === "list" && over.kind === "list" && !REPLACED.includes(key)) return mergeLists(base, over, key);
  // A key without a value changes nothing.
  return over.kind === "scalar" && over.value === null ? base : over;
}

/** `nullCounts`: in an environment a key without a value does change something, it asks for the config. */
function mergeMaps(base: Node, over: Node, fallback: Node, path: readonly string[], nullCounts = false): Node {
  if (base.kind !== "map" || over.kind !== "map") return fallback.kind === "scalar" ? base : fallback;
  const entries = new Map<string, Entry>(base.entries.map((entry) => [entry.key, entry]));
  for (const entry of over.entries) {
    const before = entries.get(entry.key);
    if (entry.value.tag === "!reset") entries.delete(entry.key);
    else if (before === undefined) entries.set(entry.key, entry);
    else if (nullCounts) entries.set(entry.key, entry);
    else entries.set(entry.key, { ...entry, value: merge(before.value, entry.value, [...path, entry.key]) });
  }
  return { ...base, entries: [...entries.values()] } satisfies MapNode;
}

function mergeLists(base: ListNode, over: ListNode, key: string): ListNode {
  const identity = (node: Node) => (BY_TARGET.includes(key) ? targetOf(node) : textOf(node));
  const replaced = new Set(over.items.map(identity).filter((name) => name !== undefined));
  const kept = base.items.filter((item) => {
    const name = identity(item);
    return name === undefined || !replaced.has(name);
  });
  return { ...base, items: [...kept, ...over.items] };
}

function textOf(node: Node): string | undefined {
  return node.kind === "scalar" ? node.text : undefined;
}

/** Where a volume, secret or config appears in the container. */
function targetOf(node: Node): string | undefined {
  if (node.kind === "scalar") {
    const parts = node.text.split(":");
    return parts[1] ?? parts[0];
  }
  if (node.kind !== "map") return undefined;
  const field = (name: string) => node.entries.find((entry) => entry.key === name)?.value;
  const target = field("target") ?? field("source");
  return target === undefined ? undefined : textOf(target);
}

function keyed(node: Node): Node {
  if (node.kind !== "list") return node;
  const entries = node.items.flatMap((item): Entry[] => {
    if (item.kind !== "scalar") return [];
    const equals = item.text.indexOf("=");
    const key = equals === -1 ? item.text : item.text.slice(0, equals);
    const text = item.text.slice(equals + 1);
    const value = equals === -1 ? { ...item, value: null, text: "" } : { ...item, value: text, text };
    return [{ key, keyPlace: item.place, value }];
  });
  return { kind: "map", entries, place: node.place };
}

function named(node: Node): Node {
  if (node.kind !== "list") return node;
  const entries = node.items.flatMap((item): Entry[] =>
    item.kind === "scalar" ? [{ key: item.text, keyPlace: item.place, value: { ...item, value: null, text: "" } }] : [],
  );
  return { kind: "map", entries, place: node.place };
}
