/** Services with `profiles` take part only when one of them is asked for, by option or by COMPOSE_PROFILES in `.env`. */
import type { Context } from "./context.js";
import { textsOf } from "./context.js";
import { asList, child } from "./node-access.js";
import type { MapNode } from "./yaml-tree.js";

export function activeProfiles(context: Context, asked: readonly string[] | undefined): ReadonlySet<string> {
  const ofDotenv = (context.variables.dotenv("COMPOSE_PROFILES")?.text ?? "").split(",");
  const names = [...(asked ?? []), ...ofDotenv].map((name) => name.trim());
  return new Set(names.filter((name) => name !== ""));
}

export function isActive(context: Context, service: string, map: MapNode, active: ReadonlySet<string>): boolean {
  const path = `services.${service}.profiles`;
  const list = asList(child(map, "profiles"), path, context.report);
  const profiles = textsOf(context, list, path).map(({ text }) => text);
  return profiles.length === 0 || active.has("*") || profiles.some((name) => active.has(name));
}
