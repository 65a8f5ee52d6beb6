/** The `volumes` of a service, in the short and the long form. */
import type { Place } from "../../kernel/errors.js";
import { type Context, textAt } from "./context.js";
import { asList, asScalar, child } from "./node-access.js";
import type { MapNode, Node } from "./yaml-tree.js";

export interface Mount {
  readonly kind: "bind" | "volume" | "tmpfs" | "other";
  /** Host path or volume name as written; null for an anonymous volume. */
  readonly source: string | null;
  /** Normalised: no trailing slash. */
  readonly target: string;
  readonly place: Place;
}

export function readMounts(context: Context, service: string, map: MapNode): Mount[] {
  const path = `services.${service}.volumes`;
  const list = asList(child(map, "volumes"), path, context.report);
  return (list?.items ?? []).flatMap((item, i) => mount(context, item, `${path}[${i}]`) ?? []);
}

function mount(context: Context, node: Node, path: string): Mount | undefined {
  if (node.kind === "map") return longForm(context, node, path);
  const scalar = asScalar(node, path, context.report);
  const text = scalar && context.variables.evaluate(scalar.text, { path, place: scalar.place });
  if (scalar === undefined || text === undefined) return undefined;
  const parts = text.split(":");
  const [first = "", second] = parts;
  if (first === "" || parts.length > 3 || second === "") {
    const hint = "Write 'name:/path', './folder:/path' or the long form.";
    context.report.error("volume", `'${text}' in '${path}' is no volume`, node.place, hint);
    return undefined;
  }
  if (second === undefined) return { kind: "volume", source: null, target: normalised(first), place: node.place };
  const kind = /^[./~]/.test(first) ? "bind" : "volume";
  return { kind, source: first, target: normalised(second), place: node.place };
}

function longForm(context: Context, map: MapNode, path: string): Mount | undefined {
  const text = (key: string) => textAt(context, map, key, `${path}.${key}`);
  const type = text("type") ?? "volume";
  const target = text("target");
  if (target === undefined) {
    if (child(map, "target") === undefined) context.report.error("volume", `'${path}' has no target`, map.place);
    return undefined;
  }
  const kind = type === "bind" || type === "volume" || type === "tmpfs" ? type : "other";
  return { kind, source: text("source") ?? null, target: normalised(target), place: map.place };
}

function normalised(target: string): string {
  return target.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}
