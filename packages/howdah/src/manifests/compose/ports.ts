/** The `ports` of a managed service: which port stands for it inside a compose network, and which one the host asks for. */
import type { Place } from "../../kernel/errors.js";
import { isLoopback } from "../../spec/index.js";
import { type Context, textAt } from "./context.js";
import { asList, asScalar, child } from "./node-access.js";
import type { MapNode, Node } from "./yaml-tree.js";

export interface ServicePorts {
  /** Target ports, the server's own first. */
  readonly targets: readonly number[];
  readonly published: number | null;
  readonly publishedPlace: Place | null;
}

interface Mapping {
  readonly target: number;
  readonly published: string | null;
  readonly hostIp: string | null;
  readonly protocol: string;
  readonly place: Place;
}

const MAX_TARGET = 32_767;
const LOOPBACK = ["127.0.0.1", "localhost", "::1", "[::1]"];
const SHORT = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([\d-]*):)?(\d+(?:-\d+)?)(?:\/([a-z]+))?$/i;

/**
 * `own` is the port the server listens on inside the container: PGPORT, `-p`, else 5432. Without `ports` it is
 * published in host mode, as Defang does. `listen` is what `x-howdah` says: an address in `ports` opens nothing, since
 * files that were written for containers on one machine often have 0.0.0.0 there.
 */
export function readPorts(
  context: Context,
  service: string,
  map: MapNode,
  { own, listen }: { readonly own: number; readonly listen: string },
): ServicePorts {
  const path = `services.${service}.ports`;
  const list = asList(child(map, "ports"), path, context.report);
  const mappings = (list?.items ?? []).flatMap((item, i) => mapping(context, item, `${path}[${i}]`) ?? []);
  const tcp = mappings.filter((m) => {
    if (m.protocol === "tcp") return true;
    context.report.warning(
      "not-done",
      `protocol '${m.protocol}' of '${path}' is ignored; PostgreSQL speaks TCP`,
      m.place,
    );
    return false;
  });
  for (const { target, place } of tcp) {
    if (target !== own) {
      const hint = `Write ${own} as the target.`;
      context.report.warning("port-unused", `PostgreSQL listens on ${own} here, not on ${target}`, place, hint);
    }
  }
  const main = tcp.find((m) => m.target === own && m.published !== null) ?? tcp.find((m) => m.published !== null);
  for (const other of tcp.filter((m) => m !== main && m.published !== null)) {
    context.report.warning("not-done", `a second published port of '${service}' is ignored`, other.place);
  }
  for (const { hostIp, place } of tcp) {
    if (hostIp !== null && !serves(listen, hostIp)) {
      const message = `host_ip '${hostIp}' is not served; '${service}' listens on ${listen} only`;
      const hint = `Take it out, or write 'x-howdah: { listen: ADDRESS }' beside 'x-defang-postgres'.`;
      context.report.warning("host-ip", message, place, hint);
    }
  }
  const published = main === undefined ? null : publishedPort(context, main);
  return {
    targets: [...new Set([own, ...tcp.map((m) => m.target)])],
    published,
    publishedPlace: published === null || main === undefined ? null : main.place,
  };
}

function publishedPort(context: Context, { published, place }: Mapping): number | null {
  if (published === null || published === "0") return null;
  if (published.includes("-")) {
    const message = `the range '${published}' of published ports is not searched; the first free port from 5432 is taken`;
    context.report.warning("not-done", message, place, "Publish one port.");
    return null;
  }
  const port = Number(published);
  if (/^\d+$/.test(published) && port >= 1 && port <= 65_535) return port;
  context.report.error("port", `'${published}' is no port`, place, "Write a number from 1 to 65535.");
  return null;
}

function mapping(context: Context, node: Node, path: string): Mapping | undefined {
  if (node.kind === "map") return longForm(context, node, path);
  const scalar = asScalar(node, path, context.report);
  const text = scalar && context.variables.evaluate(scalar.text, { path, place: scalar.place });
  if (scalar === undefined || text === undefined) return undefined;
  const match = SHORT.exec(text);
  if (match === null) {
    const hint = "Write '5432', '5433:5432', '127.0.0.1:5433:5432' or the long form.";
    context.report.error("port", `'${text}' in '${path}' is no port mapping`, node.place, hint);
    return undefined;
  }
  const [, hostIp, published, target, protocol] = match;
  return checked(context, { hostIp, published, target: target ?? "", protocol }, path, node.place);
}

function longForm(context: Context, map: MapNode, path: string): Mapping | undefined {
  const text = (key: string) => textAt(context, map, key, `${path}.${key}`);
  const target = text("target");
  if (target === undefined) {
    if (child(map, "target") === undefined) context.report.error("port", `'${path}' has no target`, map.place);
    return undefined;
  }
  const mode = text("mode");
  if (mode !== undefined && mode !== "host" && mode !== "ingress") {
    context.report.error("port", `mode '${mode}' of '${path}' is neither 'host' nor 'ingress'`, map.place);
  }
  return checked(
    context,
    { hostIp: text("host_ip"), published: text("published"), target, protocol: text("protocol") },
    path,
    map.place,
  );
}

function checked(
  context: Context,
  raw: { hostIp: string | undefined; published: string | undefined; target: string; protocol: string | undefined },
  path: string,
  place: Place,
): Mapping | undefined {
  const target = Number(raw.target);
  if (!/^\d+$/.test(raw.target) || target < 1 || target > MAX_TARGET) {
    const message = `target '${raw.target}' of '${path}' is no number from 1 to ${MAX_TARGET}`;
    context.report.error("port", message, place);
    return undefined;
  }
  return {
    target,
    published: raw.published || null,
    hostIp: raw.hostIp || null,
    protocol: (raw.protocol ?? "tcp").toLowerCase(),
    place,
  };
}

function serves(listen: string, hostIp: string): boolean {
  if (hostIp === listen || ["0.0.0.0", "::"].includes(listen)) return true;
  return isLoopback(listen) && LOOPBACK.includes(hostIp);
}
