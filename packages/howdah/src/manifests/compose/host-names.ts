/** The names under which managed services are reached in a compose network: their own, container names, aliases. */
import { type Context, textAt, textsOf } from "./context.js";
import type { ManagedHost, ManagedHosts } from "./host-rewriting.js";
import { child } from "./node-access.js";
import type { MapNode } from "./yaml-tree.js";

export function hostNamesOf(
  context: Context,
  services: readonly { readonly host: ManagedHost; readonly map: MapNode }[],
): ManagedHosts {
  const names = new Map<string, ManagedHost>();
  for (const { host, map } of services) {
    const path = `services.${host.service}`;
    const containerName = textAt(context, map, "container_name", `${path}.container_name`);
    if (containerName !== undefined) names.set(containerName, host);
    const networks = child(map, "networks");
    for (const { key, value } of networks?.kind === "map" ? networks.entries : []) {
      const aliases = value.kind === "map" ? child(value, "aliases") : undefined;
      for (const { text } of textsOf(context, aliases, `${path}.networks.${key}.aliases`)) names.set(text, host);
    }
  }
  // A service's own name wins over another one's alias.
  for (const { host } of services) names.set(host.service, host);
  return names;
}
