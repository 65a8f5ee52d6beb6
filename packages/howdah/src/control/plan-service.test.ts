import { describe, expect, it } from "vitest";
import { LOOPBACK_ENDPOINT } from "../spec/index.js";
import type { ServiceRecord } from "../store/index.js";
import { credentialsFingerprint, planService, type ServiceFacts } from "./plan-service.js";

const postmaster = { pid: 7, startTime: "1" };
const wanted = { settings: {}, memoryBytes: 1, form: 2 } as const;
const flash = { kind: "flash", timeoutMs: 10_000 } as const;
const credentials = credentialsFingerprint("u", "d", 1);

const definition: ServiceRecord["definition"] = {
  major: 18,
  image: null,
  database: "d",
  username: "u",
  memoryBytes: null,
  settings: {},
  initdbArgs: [],
  mode: { kind: "regular" },
  endpoint: LOOPBACK_ENDPOINT,
};
const record = (over: Partial<ServiceRecord> = {}): ServiceRecord => ({
  id: 1,
  project: "p",
  name: "n",
  slug: "n",
  origin: "api",
  definition,
  desired: "running",
  state: "creating",
  stateDetail: null,
  notices: [],
  port: 5432,
  engine: null,
  uid: null,
  provisioned: credentials,
  generation: 1,
  observedGeneration: 0,
  restartWanted: 0,
  restartedFor: 0,
  createdAt: 0,
  updatedAt: 0,
  ...over,
});
const facts = (over: Partial<ServiceFacts> = {}): ServiceFacts => ({
  server: { kind: "ready", postmaster },
  listening: true,
  asleep: false,
  wakeWanted: false,
  sleepWanted: false,
  applied: wanted,
  wanted,
  credentials,
  initScriptsPending: false,
  initScriptsBegun: false,
  inTrash: false,
  needsRestart: () => false,
  ...over,
});
const plan = (r: Partial<ServiceRecord>, f: Partial<ServiceFacts>) => planService(record(r), facts(f)).map((a) => a.do);
const absent = { kind: "absent" } as const;
const down = { kind: "down", survivors: [] } as const;

describe("planService", () => {
  it("has nothing to do when the world is as wished", () => {
    expect(plan({}, {})).toEqual([]);
    expect(plan({ desired: "stopped" }, { server: down })).toEqual([]);
  });

  it("makes a new service step by step", () => {
    const fresh = { provisioned: null };
    expect(plan(fresh, { server: absent, applied: null })).toEqual(["create-cluster"]);
    expect(plan(fresh, { server: down, applied: null })).toEqual(["start"]);
    expect(plan(fresh, {})).toEqual(["provision"]);
    expect(plan(fresh, { initScriptsPending: true })).toEqual(["provision", "run-init-scripts"]);
  });

  it("throws a half-initialised server away rather than run its scripts twice", () => {
    const begun = { initScriptsPending: true, initScriptsBegun: true };
    expect(plan({ provisioned: null }, begun)).toEqual(["stop", "discard-cluster"]);
    expect(plan({ provisioned: null }, { ...begun, server: down })).toEqual(["discard-cluster"]);
  });

  it("never makes an empty server in the place of a full one", () => {
    expect(plan({}, { server: absent })).toEqual(["lost"]);
    expect(plan({}, { server: absent, inTrash: true })).toEqual(["recover-from-trash"]);
  });

  it("ends survivors before it starts", () => {
    expect(plan({}, { server: { kind: "down", survivors: [postmaster] } })).toEqual(["end-survivors", "start"]);
  });

  it("waits for a server that is starting or stopping through start, which adopts", () => {
    expect(plan({}, { server: { kind: "starting", postmaster } })).toEqual(["start"]);
    expect(plan({}, { server: { kind: "stopping", postmaster } })).toEqual(["start"]);
  });

  it("has the gateway listen before anything else, unless the service is on its way out", () => {
    const deaf = { listening: false };
    expect(plan({}, deaf)).toEqual(["listen"]);
    expect(plan({ provisioned: null }, { ...deaf, server: absent })).toEqual(["listen"]);
    expect(plan({ desired: "stopped" }, { ...deaf, server: down })).toEqual(["listen"]);
    expect(plan({ desired: "deleted" }, { ...deaf, server: down })).toEqual(["move-to-trash"]);
  });

  describe("sleep", () => {
    const sleeper = { definition: { ...definition, mode: flash } };
    const asleep = { server: down, asleep: true };

    it("leaves a server that sleeps down until somebody wants it", () => {
      expect(plan(sleeper, asleep)).toEqual([]);
      expect(plan(sleeper, { ...asleep, wakeWanted: true })).toEqual(["start"]);
      expect(plan(sleeper, { server: down })).toEqual(["start"]);
    });

    it("wakes it for what only a running server can do, and when it is no longer to sleep", () => {
      expect(plan(sleeper, { ...asleep, credentials: "other" })).toEqual(["start"]);
      expect(plan({ ...sleeper, restartWanted: 1 }, asleep)).toEqual(["start"]);
      expect(plan({}, asleep)).toEqual(["start"]);
    });

    it("does not wake it for what holds at the next start", () => {
      expect(plan(sleeper, { ...asleep, wanted: { ...wanted, memoryBytes: 2 } })).toEqual([]);
    });

    it("takes a server that runs for awake, whatever the mark says", () => {
      expect(plan(sleeper, { asleep: true })).toEqual([]);
    });

    it("goes on with a stop that a crash cut short", () => {
      expect(plan(sleeper, { asleep: true, server: { kind: "stopping", postmaster } })).toEqual(["stop"]);
    });

    it("ends what outlived a server before it lets it sleep", () => {
      const server = { kind: "down", survivors: [postmaster] } as const;
      expect(plan(sleeper, { asleep: true, server })).toEqual(["end-survivors", "start"]);
    });

    it("is only tried when everything else is done and nobody wants the server", () => {
      expect(plan(sleeper, { sleepWanted: true })).toEqual(["sleep"]);
      expect(plan(sleeper, { sleepWanted: true, wakeWanted: true })).toEqual([]);
      expect(plan({}, { sleepWanted: true })).toEqual([]);
      expect(plan({ ...sleeper, restartWanted: 1 }, { sleepWanted: true })).toEqual(["stop", "start"]);
    });
  });

  it("restarts a server that still listens itself", () => {
    expect(plan({}, { applied: { settings: {}, memoryBytes: 1 } })).toEqual(["stop", "start"]);
  });

  it("reloads or restarts for settings, and restarts for memory", () => {
    const changed = { ...wanted, settings: { work_mem: "64MB" } };
    expect(plan({}, { wanted: changed })).toEqual(["reload"]);
    expect(plan({}, { wanted: changed, needsRestart: () => true })).toEqual(["stop", "start"]);
    expect(plan({}, { wanted: { ...wanted, memoryBytes: 2 } })).toEqual(["stop", "start"]);
  });

  it("restarts once per wish", () => {
    expect(plan({ restartWanted: 2, restartedFor: 1 }, {})).toEqual(["stop", "start"]);
    expect(plan({ restartWanted: 2, restartedFor: 2 }, {})).toEqual([]);
  });

  it("applies changed credentials to the running server", () => {
    expect(plan({ provisioned: credentialsFingerprint("u", "d", 0) }, {})).toEqual(["provision"]);
  });

  it("stops before it removes, from every state", () => {
    expect(plan({ desired: "deleted" }, {})).toEqual(["stop", "move-to-trash"]);
    expect(plan({ desired: "deleted" }, { server: absent })).toEqual(["move-to-trash"]);
    expect(plan({ desired: "deleted" }, { server: { kind: "down", survivors: [postmaster] } })).toEqual([
      "end-survivors",
      "move-to-trash",
    ]);
  });
});
