import { isIP } from "node:net";
import type { Endpoint } from "../gateway/index.js";
import { SOCKET_PORT } from "../postgres/index.js";
import { effectiveSsl } from "../spec/index.js";
import type { ServiceRecord } from "../store/index.js";
import { type Base, titleOf } from "./base.js";

/** What the gateway has to know of a service. */
export function endpointOf(context: Pick<Base, "layout">, record: ServiceRecord, open: boolean): Endpoint {
  const { endpoint, major } = record.definition;
  return {
    id: record.id,
    title: titleOf(record),
    major,
    host: endpoint.listen,
    port: record.port,
    ssl: effectiveSsl(endpoint),
    allow: endpoint.allow,
    holdMs: endpoint.holdMs,
    socketPath: `${context.layout.service(record.id).socket}/.s.PGSQL.${SOCKET_PORT}`,
    open,
  };
}

/** Where a client on this machine connects to. */
export function clientHost(record: ServiceRecord): string {
  const { listen } = record.definition.endpoint;
  if (listen === "0.0.0.0") return "127.0.0.1";
  if (isIP(listen) === 6 && /^[0:]+$/.test(listen)) return "::1";
  return listen;
}
