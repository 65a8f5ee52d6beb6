/** What is counted, as control tells it (its `Measurements` are of this shape, and richer). */
import type { Mode, ServiceState } from "../../spec/index.js";

export interface Measured {
  readonly services: readonly MeasuredService[];
  /** null: no gateway is there at the moment. */
  readonly gateway: MeasuredGateway | null;
  readonly wakes: MeasuredWakes;
}

/** Since control started: how many took at most `le` seconds, all of them, and their sum in seconds. */
export interface MeasuredWakes {
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

export interface MeasuredService {
  readonly project: string;
  readonly name: string;
  readonly state: ServiceState;
  readonly mode: Pick<Mode, "kind">;
  readonly dataBytes: number | null;
  readonly sleep: {
    readonly connections: number;
    readonly wakes: number;
    readonly lastWakeMs: number | null;
    readonly asleepMs: number;
  };
}

export interface MeasuredGateway {
  readonly unauthenticated: number;
  readonly accepted: number;
  readonly loggedIn: number;
  readonly cancels: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly bytesFromClients: number;
  readonly bytesToClients: number;
  /** Bytes. */
  readonly rss: number;
}

/** Of the control process itself; times in seconds. */
export interface MeasuredProcess {
  readonly rss: number;
  readonly cpuSeconds: number;
  /** Since the epoch. */
  readonly startedAt: number;
  readonly eventLoopBusySeconds: number;
}
