/** `deploy.resources`, `mem_limit` and the like: memory sizes the settings; nothing is a hard limit. */

import { parseSize } from "../../kernel/sizes.js";
import type { Context } from "./context.js";
import { reported } from "./context.js";
import { asMap, asScalar, child, entryOf, isNull } from "./node-access.js";
import type { MapNode } from "./yaml-tree.js";

/** Bytes, or null when the file says nothing. */
export function readMemory(context: Context, service: string, map: MapNode): number | null {
  const path = `services.${service}`;
  const deploy = asMap(child(map, "deploy"), `${path}.deploy`, context.report);
  const resources = asMap(child(deploy, "resources"), `${path}.deploy.resources`, context.report);
  const limits = asMap(child(resources, "limits"), `${path}.deploy.resources.limits`, context.report);
  const reservations = asMap(child(resources, "reservations"), `${path}.deploy.resources.reservations`, context.report);
  const candidates = [
    { map: limits, key: "memory", path: `${path}.deploy.resources.limits.memory` },
    { map, key: "mem_limit", path: `${path}.mem_limit` },
    { map: reservations, key: "memory", path: `${path}.deploy.resources.reservations.memory` },
    { map, key: "mem_reservation", path: `${path}.mem_reservation` },
  ];
  let bytes: number | null = null;
  for (const candidate of candidates) {
    const found = size(context, candidate.map, candidate.key, candidate.path);
    if (found === undefined || bytes !== null) continue;
    bytes = found.bytes;
    const message = `memory of '${service}' sizes PostgreSQL's settings; it is not a hard limit`;
    context.report.notice("memory", message, found.place);
  }
  for (const [owner, keys] of [
    [limits, ["cpus", "pids"]],
    [reservations, ["cpus", "devices", "generic_resources"]],
    [map, ["cpus", "cpu_count", "cpu_percent", "cpu_shares", "cpu_quota", "cpu_period", "cpuset", "pids_limit"]],
  ] as const) {
    for (const key of keys) {
      const entry = entryOf(owner, key);
      if (entry === undefined || isNull(entry.value)) continue;
      context.report.warning("not-enforced", `'${key}' of '${service}' is not enforced`, entry.keyPlace);
    }
  }
  readDeploy(context, service, map, deploy);
  return bytes;
}

function readDeploy(context: Context, service: string, map: MapNode, deploy: MapNode | undefined): void {
  const replicas = entryOf(deploy, "replicas") ?? entryOf(map, "scale");
  if (replicas !== undefined && !isNull(replicas.value)) {
    const scalar = asScalar(replicas.value, `services.${service}.${replicas.key}`, context.report);
    if (scalar !== undefined && scalar.text !== "1") {
      const message = `'${service}' runs as one server, not as ${scalar.text}`;
      context.report.warning("not-done", message, replicas.keyPlace);
    }
  }
  const fine = ["resources", "replicas", "restart_policy"];
  for (const { key, keyPlace, value } of deploy?.entries ?? []) {
    if (fine.includes(key) || key.startsWith("x-") || isNull(value)) continue;
    context.report.warning("not-done", `'deploy.${key}' of '${service}' has no effect`, keyPlace);
  }
}

function size(context: Context, map: MapNode | undefined, key: string, path: string) {
  const scalar = asScalar(child(map, key), path, context.report);
  const text = scalar && context.variables.evaluate(scalar.text, { path, place: scalar.place });
  if (scalar === undefined || text === undefined) return undefined;
  const bytes = reported(context, "size", scalar.place, () => parseSize(text));
  return bytes === undefined || bytes === 0 ? undefined : { bytes, place: scalar.place };
}
