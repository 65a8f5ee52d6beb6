import { type Connection, connection, toRedactedUri, toUri } from "@howdah/client/connection";
import { readPostmasterPid } from "../postgres/index.js";
import { effectiveSsl, isLoopback } from "../spec/index.js";
import type { ServiceRecord } from "../store/index.js";
import { type Context, memoryOf } from "./context.js";
import type { DataSizes } from "./data-sizes.js";
import { clientHost } from "./endpoints.js";
import type { Reconciler } from "./reconciler.js";
import type { ServiceView } from "./types.js";

/** How applications reach a service. */
export function connectionOf(record: ServiceRecord, password: string): Connection {
  // Clients that are not told otherwise try clear text, and would be refused.
  const parameters = effectiveSsl(record.definition.endpoint) === "require" ? { sslmode: "require" } : {};
  return connection({
    host: clientHost(record),
    port: record.port,
    username: record.definition.username,
    password,
    database: record.definition.database,
    parameters,
  });
}

/** Makes what clients see out of rows; the password only when it was asked for. */
export class Views {
  readonly #context: Context;
  readonly #reconciler: Reconciler;
  readonly #sizes: DataSizes;

  constructor(context: Context, reconciler: Reconciler, sizes: DataSizes) {
    this.#context = context;
    this.#reconciler = reconciler;
    this.#sizes = sizes;
  }

  view(record: ServiceRecord, reveal = false): ServiceView {
    const { store, layout } = this.#context;
    const password = reveal ? store.services.password(record.id) : null;
    const { definition } = record;
    return {
      id: record.id,
      project: record.project,
      name: record.name,
      slug: record.slug,
      origin: record.origin,
      state: record.state,
      stateDetail: record.stateDetail,
      desired: record.desired,
      busy: record.observedGeneration < record.generation && this.#reconciler.busy(record.id),
      major: definition.major,
      version: store.meta.get(`service/${record.id}/version`) ?? null,
      engine: record.engine,
      image: definition.image,
      database: definition.database,
      username: definition.username,
      memoryBytes: memoryOf(this.#context, record),
      settings: definition.settings,
      endpoint: { host: clientHost(record), port: record.port },
      mode: definition.mode,
      policy: definition.endpoint,
      ssl: effectiveSsl(definition.endpoint),
      sleep: this.#context.sleep.view(record),
      uri: password === null ? toRedactedUri(connectionOf(record, "-")) : toUri(connectionOf(record, password)),
      password,
      pid: record.state === "running" ? readPostmasterPid(layout.service(record.id)) : null,
      dataBytes: this.#sizes.get(record.id),
      notices: [...record.notices, ...exposureOf(record)],
      createdAt: record.createdAt,
      updatedAt: record.updatedAt,
    };
  }
}

/** Said as long as it is so: who can reach a database from elsewhere should never be a surprise. */
function exposureOf(record: ServiceRecord): string[] {
  const { listen, allow } = record.definition.endpoint;
  if (isLoopback(listen)) return [];
  const who = allow.length === 0 ? "any machine that reaches this one" : allow.join(", ");
  return [`it listens on ${listen}, port ${record.port}, for ${who}`];
}
