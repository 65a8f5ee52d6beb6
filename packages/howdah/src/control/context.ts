import type { EventEmitter } from "node:events";
import { parseSize } from "../kernel/sizes.js";
import type { AdminSessions, ClusterPool, Distribution, Engines, ServerSpec } from "../postgres/index.js";
import type { ServiceRecord, Store } from "../store/index.js";
import type { AdminWork } from "./admin-work.js";
import { type Base, titleOf } from "./base.js";
import type { Gateway } from "./gateway.js";
import type { Applied } from "./plan-service.js";
import { credentialsFingerprint } from "./plan-service.js";
import type { Sleep } from "./sleep.js";

export { placeOf, titleOf } from "./base.js";

/** What every part of the control plane works with. */
export interface Context extends Base {
  readonly engines: Engines;
  readonly pool: ClusterPool;
  readonly gateway: Gateway;
  readonly sleep: Sleep;
  /** Our own sessions on running servers. */
  readonly sessions: AdminSessions;
  readonly admin: AdminWork;
  /** Services whose server this process saw end in order, with nothing left of it: they start without a look around. */
  readonly clean: Set<number>;
  /** The gateway's user as root, who may reach the servers' sockets; null: our own. */
  readonly gatewayUid: number | null;
  /** Emits `changed` with a service's id whenever its row changed or went. */
  readonly changes: EventEmitter<{ changed: [id: number] }>;
}

export function memoryOf(context: Context, record: ServiceRecord): number {
  return record.definition.memoryBytes ?? parseSize(context.environment.defaultMemory);
}

export function wantedOf(context: Context, record: ServiceRecord): Applied {
  return { settings: record.definition.settings, memoryBytes: memoryOf(context, record), form: 2 };
}

export function serverSpec(context: Context, record: ServiceRecord, distribution: Distribution): ServerSpec {
  return {
    id: record.id,
    title: titleOf(record),
    paths: context.layout.service(record.id),
    distribution,
    uid: record.uid,
    socketGid: context.gatewayUid,
    memoryBytes: memoryOf(context, record),
    settings: record.definition.settings,
    // A server that sleeps often would begin with an empty cache each time.
    preload: record.definition.mode.kind === "flash" ? ["pg_prewarm"] : [],
  };
}

/** User numbers of this home: its services', those in the trash, the gateway's. */
export function takenUids({ store, gatewayUid }: Context): Set<number> {
  const taken = store.services.uids();
  if (gatewayUid !== null) taken.add(gatewayUid);
  return taken;
}

/** The raised counter comes first: a crash between the two applies the old password once more, and asking again mends it. */
export function setServicePassword(store: Store, id: number, password: string): void {
  store.meta.set(passwordNumberKey(id), String(passwordNumber(store, id) + 1));
  store.services.setPassword(id, password);
}

function passwordNumber(store: Store, id: number): number {
  return Number(store.meta.get(passwordNumberKey(id)) ?? "1");
}

const passwordNumberKey = (id: number) => `service/${id}/password-number`;

export function credentialsOf(store: Store, record: ServiceRecord): string {
  const { username, database } = record.definition;
  return credentialsFingerprint(username, database, passwordNumber(store, record.id));
}

/** Small facts about one service that only the reconciler needs. */
export const marks = {
  applied: {
    get(store: Store, id: number): Applied | null {
      const text = store.meta.get(`service/${id}/applied`);
      return text === undefined || text === "" ? null : (JSON.parse(text) as Applied);
    },
    set(store: Store, id: number, applied: Applied | null): void {
      store.meta.note(`service/${id}/applied`, applied === null ? "" : JSON.stringify(applied));
    },
  },
  initScriptsBegun: flag("init-scripts-begun"),
  /** The port was ours to choose, so a race for it at the first start is answered by another. */
  automaticPort: flag("automatic-port"),
};

function flag(name: string) {
  return {
    get: (store: Store, id: number): boolean => store.meta.get(`service/${id}/${name}`) === "1",
    set: (store: Store, id: number, on: boolean): void => store.meta.set(`service/${id}/${name}`, on ? "1" : ""),
  };
}
