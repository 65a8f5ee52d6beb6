/** Reads values of expected types out of the YAML tree. A wrong type is reported with its path and place, never thrown. */
import type { Place } from "../../kernel/errors.js";
import type { Report } from "./report.js";
import type { Entry, ListNode, MapNode, Node, ScalarNode } from "./yaml-tree.js";

export function isNull(node: Node | undefined): boolean {
  return node === undefined || (node.kind === "scalar" && node.value === null);
}

export function entryOf(map: MapNode | undefined, key: string): Entry | undefined {
  return map?.entries.find((entry) => entry.key === key);
}

/** The value of a key; undefined when it is absent or null. */
export function child(map: MapNode | undefined, key: string): Node | undefined {
  const value = entryOf(map, key)?.value;
  return isNull(value) ? undefined : value;
}

export function asMap(node: Node | undefined, path: string, report: Report): MapNode | undefined {
  if (node === undefined || isNull(node)) return undefined;
  if (node.kind === "map") return node;
  wrongType(node, path, "a map", report);
  return undefined;
}

export function asList(node: Node | undefined, path: string, report: Report): ListNode | undefined {
  if (node === undefined || isNull(node)) return undefined;
  if (node.kind === "list") return node;
  wrongType(node, path, "a list", report);
  return undefined;
}

/** A text, number or boolean, as written. */
export function asScalar(node: Node | undefined, path: string, report: Report): ScalarNode | undefined {
  if (node === undefined || isNull(node)) return undefined;
  if (node.kind === "scalar") return node;
  wrongType(node, path, "a text", report);
  return undefined;
}

export function wrongType(node: Node, path: string, expected: string, report: Report): void {
  report.error("wrong-type", `'${path}' is ${describe(node)}, not ${expected}`, node.place);
}

export function describe(node: Node): string {
  if (node.kind === "map") return "a map";
  if (node.kind === "list") return "a list";
  if (node.value === null) return "empty";
  switch (typeof node.value) {
    case "boolean":
      return "a boolean";
    case "string":
      return "a text";
    default:
      return "a number";
  }
}

/** The place of a key, for messages about the key itself; else of the map that lacks it. */
export function keyPlace(node: Node, key: string): Place {
  return (node.kind === "map" ? entryOf(node, key)?.keyPlace : undefined) ?? node.place;
}
