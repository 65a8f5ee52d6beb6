import { describe, expect, it } from "vitest";
import { LOOPBACK_ENDPOINT } from "../spec/index.js";
import type { ServiceDefinition, ServiceRecord } from "../store/index.js";
import { type PlanInput, planStack } from "./plan-stack.js";
import type { DesiredService } from "./resolve-stack.js";

const definition: ServiceDefinition = {
  major: 18,
  image: "postgres:18",
  database: "app",
  username: "postgres",
  memoryBytes: null,
  settings: {},
  initdbArgs: [],
  mode: { kind: "regular" },
  endpoint: LOOPBACK_ENDPOINT,
};
const wish = (
  name: string,
  over: Partial<ServiceDefinition> = {},
  rest: Partial<DesiredService> = {},
): DesiredService => ({
  name,
  definition: { ...definition, ...over },
  password: "pw",
  port: null,
  engine: null,
  initScripts: [],
  ...rest,
});
const existing = (name: string, over: Partial<ServiceRecord> = {}, password = "pw") => ({
  record: {
    id: 1,
    project: "shop",
    name,
    slug: name,
    origin: "compose",
    definition,
    desired: "running",
    state: "running",
    stateDetail: null,
    notices: [],
    port: 5432,
    engine: "embedded",
    uid: null,
    provisioned: "x",
    generation: 1,
    observedGeneration: 1,
    restartWanted: 0,
    restartedFor: 0,
    createdAt: 0,
    updatedAt: 0,
    ...over,
  } satisfies ServiceRecord,
  passwordMatches: (wanted: string) => wanted === password,
});
const plan = (input: Partial<PlanInput>) =>
  planStack({
    project: "shop",
    desired: [],
    current: [],
    needsRestart: (_, names) => names.includes("shared_buffers"),
    missingEngines: new Set(),
    ...input,
  });

describe("planStack", () => {
  it("plans every kind of change (golden)", async () => {
    const plans = {
      create: plan({
        desired: [
          wish(
            "database",
            { memoryBytes: 2 ** 30, settings: { work_mem: "64MB" } },
            { initScripts: [{ name: "1.sql", contentBase64: "", executable: false }] },
          ),
          wish("reports", { major: 16, image: "postgres:16" }, { port: 5440, password: null }),
          wish("old", { major: 14, image: "postgres:14" }),
        ],
        missingEngines: new Set([16]),
      }),
      unchanged: plan({ desired: [wish("database")], current: [existing("database")] }),
      started: plan({
        desired: [wish("database")],
        current: [existing("database", { desired: "stopped", state: "stopped" })],
      }),
      password: plan({ desired: [wish("database", {}, { password: "new" })], current: [existing("database")] }),
      names: plan({
        desired: [wish("database", { username: "shop", database: "shop" })],
        current: [existing("database")],
      }),
      reload: plan({
        desired: [wish("database", { settings: { work_mem: "64MB" } })],
        current: [existing("database")],
      }),
      reset: plan({
        desired: [wish("database")],
        current: [existing("database", { definition: { ...definition, settings: { shared_buffers: "1GB" } } })],
      }),
      asleep: plan({
        desired: [
          wish("database", {
            mode: { kind: "flash", timeoutMs: 90_000 },
            endpoint: { ...LOOPBACK_ENDPOINT, listen: "0.0.0.0", allow: ["10.0.0.0/8"], holdMs: 5_000 },
          }),
        ],
        current: [existing("database")],
      }),
      awake: plan({
        desired: [wish("database")],
        current: [existing("database", { definition: { ...definition, mode: { kind: "flash", timeoutMs: 90_000 } } })],
      }),
      moved: plan({
        desired: [wish("database", { memoryBytes: 2 ** 30 }, { port: 5440 })],
        current: [existing("database")],
      }),
      orphan: plan({ desired: [], current: [existing("database")] }),
      neverFinished: plan({
        desired: [wish("database", { major: 17 })],
        current: [existing("database", { provisioned: null })],
      }),
    };
    await expect(`${JSON.stringify(plans, null, 2)}\n`).toMatchFileSnapshot("plan-stack.golden.json");
  });

  it("refuses another major for data that exists", () => {
    expect(() => plan({ desired: [wish("database", { major: 17 })], current: [existing("database")] })).toThrow(
      "service 'database' holds data of PostgreSQL 18 and cannot be run by 17",
    );
  });

  it("leaves services that no file made out of it", () => {
    expect(plan({ current: [existing("made-by-hand", { origin: "api" })] }).changes).toEqual([]);
  });

  it("never tells a password", () => {
    const secret = "hunter2-very-secret";
    const text = JSON.stringify(
      plan({
        desired: [wish("a", {}, { password: secret }), wish("database", {}, { password: secret })],
        current: [existing("database")],
      }),
    );
    expect(text).not.toContain(secret);
  });
});
