/**
 * What to do next about one service: wish and observation in, actions out. Pure, and total: whatever a crash left
 * behind is just another observation, so running again repairs it. The reconciler acts, observes again and asks
 * again until the answer is empty.
 */
import { createHash } from "node:crypto";
import type { ServerObservation } from "../postgres/index.js";
import type { ServiceRecord } from "../store/index.js";
import { changedSettings } from "./plan-stack.js";

/** What the running server was started with; written just before each start or reload. */
export interface Applied {
  readonly settings: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  /** How the server was placed: 2 is behind the gateway, on its Unix socket only. Absent: it listened itself. */
  readonly form?: 2;
}

export interface ServiceFacts {
  readonly server: ServerObservation;
  /** Whether the gateway listens for the endpoint as it is wished for now. */
  readonly listening: boolean;
  /** It is down because it sleeps. */
  readonly asleep: boolean;
  /** Somebody waits for it: a client, or a user who started it. */
  readonly wakeWanted: boolean;
  /** It has been idle for its timeout; whether it may really sleep is asked by the action. */
  readonly sleepWanted: boolean;
  readonly applied: Applied | null;
  /** What a start would be made with now. */
  readonly wanted: Applied;
  /** Fingerprint of role, database and password as wished for. */
  readonly credentials: string;
  readonly initScriptsPending: boolean;
  /** Init scripts were begun; pending and begun means that a crash cut them short. */
  readonly initScriptsBegun: boolean;
  /** The folder lies in the trash although the service is wanted: a restore that was cut short. */
  readonly inTrash: boolean;
  readonly needsRestart: (settings: readonly string[]) => boolean;
}

export type Action =
  | { readonly do: "listen" }
  | { readonly do: "sleep" }
  | { readonly do: "recover-from-trash" }
  | { readonly do: "discard-cluster" }
  | { readonly do: "create-cluster" }
  | { readonly do: "end-survivors" }
  | { readonly do: "start" }
  | { readonly do: "stop" }
  | { readonly do: "reload" }
  | { readonly do: "provision" }
  | { readonly do: "run-init-scripts" }
  | { readonly do: "move-to-trash" }
  | { readonly do: "lost" };

export function planService(record: ServiceRecord, facts: ServiceFacts): Action[] {
  if (record.desired === "deleted") return [...planDown(facts), { do: "move-to-trash" }];
  // First: an address that cannot be had is told before anything is made, and a stopped service keeps its own.
  if (!facts.listening) return [{ do: "listen" }];
  return record.desired === "stopped" ? planDown(facts) : planUp(record, facts);
}

function planDown(facts: ServiceFacts): Action[] {
  const { server } = facts;
  if (server.kind === "absent") return [];
  if (server.kind === "down") return server.survivors.length > 0 ? [{ do: "end-survivors" }] : [];
  return [{ do: "stop" }];
}

function planUp(record: ServiceRecord, facts: ServiceFacts): Action[] {
  const { server } = facts;
  const fresh = record.provisioned === null;
  if (facts.inTrash) return [{ do: "recover-from-trash" }];
  // Never an empty server in the place of a full one: a lost data directory is said, not replaced.
  if (server.kind === "absent") return fresh ? [{ do: "create-cluster" }] : [{ do: "lost" }];
  if (fresh && facts.initScriptsPending && facts.initScriptsBegun) {
    return [...planDown(facts), { do: "discard-cluster" }];
  }
  if (server.kind === "down") {
    if (server.survivors.length === 0 && staysAsleep(record, facts)) return [];
    return server.survivors.length > 0 ? [{ do: "end-survivors" }, { do: "start" }] : [{ do: "start" }];
  }
  // A crash came between the order to stop and the end of it.
  if (server.kind === "stopping" && staysAsleep(record, facts)) return [{ do: "stop" }];
  if (server.kind !== "ready") return [{ do: "start" }];
  if (record.restartWanted > record.restartedFor) return [{ do: "stop" }, { do: "start" }];
  const actions = planSettings(facts);
  if (actions.length > 0) return actions;
  if (record.provisioned !== facts.credentials && !fresh) return [{ do: "provision" }];
  if (fresh) {
    const provision: Action[] = [{ do: "provision" }];
    return facts.initScriptsPending ? [{ do: "provision" }, { do: "run-init-scripts" }] : provision;
  }
  return facts.sleepWanted && !facts.wakeWanted && record.definition.mode.kind === "flash" ? [{ do: "sleep" }] : [];
}

/** New credentials can only be set on a running server; everything else holds when it wakes. */
function staysAsleep(record: ServiceRecord, facts: ServiceFacts): boolean {
  return (
    facts.asleep &&
    !facts.wakeWanted &&
    record.definition.mode.kind === "flash" &&
    record.provisioned === facts.credentials &&
    record.restartWanted <= record.restartedFor
  );
}

function planSettings({ applied, wanted, needsRestart }: ServiceFacts): Action[] {
  // Unknown: it was started by us before a crash could tell; what it runs with is what its files say.
  if (applied === null) return [{ do: "reload" }];
  if (applied.form !== wanted.form || applied.memoryBytes !== wanted.memoryBytes)
    return [{ do: "stop" }, { do: "start" }];
  const changed = changedSettings(applied.settings, wanted.settings);
  if (changed.length === 0) return [];
  return needsRestart(changed) ? [{ do: "stop" }, { do: "start" }] : [{ do: "reload" }];
}

/** Names the credentials without holding them: the counter is raised with each new password. */
export function credentialsFingerprint(username: string, database: string, passwordNumber: number): string {
  return createHash("sha256")
    .update(JSON.stringify([username, database, passwordNumber]))
    .digest("hex")
    .slice(0, 16);
}
