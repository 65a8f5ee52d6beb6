import { type Connection, connection, toRedactedUri, toUri } from "@howdah/client/connection";
import { readPostmasterPid } from "../postgres/index.js";
import type { ServiceRecord } from "../store/index.js";
import { type Context, memoryOf } from "./context.js";
import type { DataSizes } from "./data-sizes.js";
import type { Reconciler } from "./reconciler.js";
import type { ServiceView } from "./types.js";

/** Where every endpoint listens until a user asks for more. */
const ENDPOINT_HOST = "127.0.0.1";

/** How applications reach a service. */
export function connectionOf(record: ServiceRecord, password: string): Connection {
  return connection({
    host: ENDPOINT_HOST,
    port: record.port,
    username: record.definition.username,
    password,
    database: record.definition.database,
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
      endpoint: { host: ENDPOINT_HOST, port: record.port },
      uri: password === null ? toRedactedUri(connectionOf(record, "-")) : toUri(connectionOf(record, password)),
      password,
      pid: record.state === "running" ? readPostmasterPid(layout.service(record.id)) : null,
      dataBytes: this.#sizes.get(record.id),
      notices: record.notices,
      createdAt: record.createdAt,
      updatedAt: record.updatedAt,
    };
  }
}
