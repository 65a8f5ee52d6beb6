/** `depends_on`, as a list of names or as a map with conditions. */

import type { Place } from "../../kernel/errors.js";
import type { Context } from "./context.js";
import { asMap, asScalar, child, wrongType } from "./node-access.js";
import type { MapNode } from "./yaml-tree.js";

/** Names of services that exist and are active; others are reported. */
export function readDependsOn(
  context: Context,
  service: string,
  map: MapNode,
  services: { readonly defined: ReadonlySet<string>; readonly active: ReadonlySet<string> },
): string[] {
  const path = `services.${service}.depends_on`;
  const node = child(map, "depends_on");
  const named: { name: string; place: Place; required: boolean }[] = [];
  if (node?.kind === "list") {
    for (const [i, item] of node.items.entries()) {
      const scalar = asScalar(item, `${path}[${i}]`, context.report);
      if (scalar !== undefined) named.push({ name: scalar.text, place: scalar.place, required: true });
    }
  } else if (node?.kind === "map") {
    for (const { key, keyPlace, value } of node.entries) {
      const condition = asMap(value, `${path}.${key}`, context.report);
      const required = asScalar(child(condition, "required"), `${path}.${key}.required`, context.report);
      named.push({ name: key, place: keyPlace, required: required?.text !== "false" });
    }
  } else if (node !== undefined) {
    wrongType(node, path, "a list or a map", context.report);
  }
  return named.flatMap(({ name, place, required }) => {
    if (services.active.has(name)) return [name];
    if (!services.defined.has(name)) {
      context.report.error("undefined-reference", `'${service}' depends on undefined service '${name}'`, place);
    } else if (required) {
      const message = `'${service}' depends on '${name}', which is in a profile that is not active`;
      context.report.warning("inactive-service", message, place);
    }
    return [];
  });
}
