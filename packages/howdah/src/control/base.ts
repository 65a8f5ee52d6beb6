import type { Environment } from "../kernel/environment.js";
import type { Logger } from "../kernel/log.js";
import type { Endpoint } from "../postgres/index.js";
import type { Layout } from "../runtime/index.js";
import type { ServiceRecord, Store } from "../store/index.js";

/** What stands before any part of the control plane. */
export interface Base {
  readonly environment: Environment;
  readonly layout: Layout;
  readonly store: Store;
  readonly log: Logger;
}

export function titleOf(record: ServiceRecord): string {
  return `${record.project}/${record.name}`;
}

/** Where our own sessions go. */
export function placeOf({ layout }: Pick<Base, "layout">, record: ServiceRecord): Endpoint & { readonly id: number } {
  const { id, definition } = record;
  return { id, title: titleOf(record), paths: layout.service(id), distribution: { major: definition.major } };
}
