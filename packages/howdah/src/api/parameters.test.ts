import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isHowdahError } from "../kernel/errors.js";
import { type EndpointPolicy, isLoopback, type Mode, REGULAR, SUPPORTED_MAJORS } from "../spec/index.js";
import {
  createFromParameters,
  HIDDEN,
  PARAMETER_SCHEMA,
  PostgresParameters,
  parametersOf,
  updateFromParameters,
} from "./parameters.js";
import { serviceView } from "./testing/fake-control.js";

const create = (parameters: Record<string, unknown>, rest = {}) => createFromParameters({ parameters, ...rest });
const update = (parameters: Record<string, unknown>, rest = {}, view = serviceView()) =>
  updateFromParameters({ parameters, ...rest }, view);

function refusal(run: () => unknown): { code: string; message: string; hint: string } {
  try {
    run();
  } catch (error) {
    if (isHowdahError(error)) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("create", () => {
  test("the example of Temps's own documentation", () => {
    const parameters = { version: "18-alpine", database: "app", username: "app", password: "hunter2" };
    expect(create(parameters)).toEqual({
      major: 18,
      image: null,
      database: "app",
      username: "app",
      password: "hunter2",
      port: null,
      memoryBytes: null,
      settings: {},
      initdbArgs: [],
      engine: null,
    });
  });

  test("nothing at all is everything by default, and null is nothing", () => {
    expect(create({})).toEqual({
      image: null,
      port: null,
      memoryBytes: null,
      settings: {},
      initdbArgs: [],
      engine: null,
    });
    expect(create({ host: null, port: null, version: null }, { version: null })).toEqual(create({}));
  });

  test.each([
    ["18", 18],
    ["17.5", 17],
    ["16-bookworm", 16],
    [15, 15],
    ["latest", 18],
    ["pgvector/pgvector:pg16", 16],
  ])("version %j is major %i", (version, major) => {
    expect(create({ version }).major).toBe(major);
    expect(create({}, { version: String(version) }).major).toBe(major);
  });

  test("an image gives its major and is kept for messages", () => {
    expect(create({}, { dockerImage: "postgres:17-alpine" })).toMatchObject({ major: 17, image: "postgres:17-alpine" });
    expect(create({ docker_image: "gotempsh/postgres-walg:18-bookworm" }).major).toBe(18);
    expect(create({ docker_image: "postgres" })).not.toHaveProperty("major");
  });

  test("contradicting versions are refused, agreeing ones are not", () => {
    expect(create({ version: "17-alpine", docker_image: "postgres:17.2" }, { version: "17" }).major).toBe(17);
    expect(refusal(() => create({ version: "18" }, { version: "17" }))).toMatchObject({
      code: "INVALID_INPUT",
      message: "parameter 'version': two versions are asked for, 18 and 17",
    });
    expect(refusal(() => create({ version: "18", docker_image: "postgres:16" })).code).toBe("INVALID_INPUT");
  });

  test.each([12, "9.6", "99", "seven"])("version %j is not supported", (version) => {
    expect(refusal(() => create({ version })).code).toBe("VERSION_UNSUPPORTED");
  });

  test.each([
    [512, 512 * 1024 ** 2],
    ["512", 512 * 1024 ** 2],
    ["512M", 512 * 1024 ** 2],
    ["2Gi", 2 * 1024 ** 3],
    ["1.5G", 1.5 * 1024 ** 3],
    [0.5 * 1024, 512 * 1024 ** 2],
  ])("memory %j", (memory, bytes) => {
    expect(create({ memory }).memoryBytes).toBe(bytes);
  });

  test.each(["0", "12 apples", -1, "100B", ""])("memory %j is refused", (memory) => {
    expect(refusal(() => create({ memory })).code).toBe("INVALID_INPUT");
  });

  test("ports come as text or number, within bounds", () => {
    expect(create({ port: "6000" }).port).toBe(6000);
    expect(create({ port: 6000 }).port).toBe(6000);
    for (const port of [0, 65_536, "x", "", 5432.5, -1]) {
      expect(refusal(() => create({ port })).code).toBe("INVALID_INPUT");
    }
  });

  test("settings as text, and max_connections is one of them", () => {
    const given = { "set.work_mem": "64MB", "set.fsync": false, "set.random_page_cost": 1.1, max_connections: "50" };
    expect(create(given).settings).toEqual({
      work_mem: "64MB",
      fsync: "off",
      random_page_cost: "1.1",
      max_connections: "50",
    });
    expect(create({ max_connections: 50, "set.max_connections": "50" }).settings).toEqual({ max_connections: "50" });
    expect(refusal(() => create({ max_connections: 50, "set.max_connections": "60" })).message).toContain("twice");
    expect(create({ "set.auto_explain.log_min_duration": "1s", "set.work_mem": null }).settings).toEqual({
      "auto_explain.log_min_duration": "1s",
    });
    for (const parameters of [{ "set.": "1" }, { "set.a b": "1" }, { "set.a.b.c": "1" }, { "set.work_mem": {} }]) {
      expect(refusal(() => create(parameters)).code).toBe("INVALID_INPUT");
    }
  });

  test("words for initdb", () => {
    expect(create({ initdb_args: " --no-sync   --wal-segsize=32 " }).initdbArgs).toEqual([
      "--no-sync",
      "--wal-segsize=32",
    ]);
    expect(create({ initdb_args: ["--locale=de DE"] }).initdbArgs).toEqual(["--locale=de DE"]);
  });

  test("the host follows from where it listens, and cannot be chosen", () => {
    expect(create({ host: "localhost" })).toEqual(create({}));
    expect(refusal(() => create({ host: "0.0.0.0" }))).toMatchObject({
      message: "parameter 'host': '0.0.0.0' is not where it listens",
      hint: expect.stringContaining("listen=ADDRESS"),
    });
  });

  test("unknown parameters are refused by name, with those that there are", () => {
    const { code, message, hint } = refusal(() => create({ max_conections: 5 }));
    expect(code).toBe("INVALID_INPUT");
    expect(message).toBe("parameter 'max_conections': there is no such parameter");
    for (const known of Object.keys(PostgresParameters.shape)) expect(hint).toContain(known);
    expect(hint).toContain("set.<name>");
    for (const name of ["__proto__", "constructor", "toString"]) {
      expect(refusal(() => create(JSON.parse(`{"${name}": "x"}`))).message).toContain("no such parameter");
    }
  });

  test("an empty password is generated, a hidden one cannot be one", () => {
    expect(create({ password: "" }).password).toBe("");
    expect(refusal(() => create({ password: HIDDEN })).code).toBe("INVALID_INPUT");
  });

  test("no message repeats a value that may be a secret", () => {
    const { message, hint } = refusal(() => create({ password: ["hunter2"] }));
    expect(message + hint).not.toContain("hunter2");
  });
});

const LAN = { listen: "0.0.0.0", ssl: null, allow: ["10.0.0.0/8"], holdMs: 60_000 };
const flash = serviceView({ mode: { kind: "flash", timeoutMs: 3_000 } });
const milliseconds = (min: number, max: number) => fc.integer({ min, max });
const mode: fc.Arbitrary<Mode> = fc.oneof(
  fc.constant(REGULAR),
  milliseconds(1_000, 86_400_000).map((timeoutMs) => ({ kind: "flash" as const, timeoutMs })),
);
const policy: fc.Arbitrary<EndpointPolicy> = fc
  .record({
    listen: fc.oneof(fc.constantFrom("127.0.0.1", "::1", "0.0.0.0", "::"), fc.ipV4(), fc.ipV6()),
    ssl: fc.constantFrom(null, "off" as const, "allow" as const, "require" as const),
    allow: fc.uniqueArray(fc.oneof(fc.ipV4(), fc.constantFrom("10.0.0.0/8", "fd00::/8")), { maxLength: 4 }),
    holdMs: milliseconds(0, 3_600_000),
  })
  .filter(({ listen, ssl }) => isLoopback(listen) || ssl === null || ssl === "require");

describe("when it sleeps", () => {
  test.each([
    [{ mode: "regular" }, REGULAR],
    [{ mode: "flash" }, { kind: "flash", timeoutMs: 10_000 }],
    [
      { mode: "flash", timeout: 3 },
      { kind: "flash", timeoutMs: 3_000 },
    ],
    [
      { mode: "flash", timeout: "3" },
      { kind: "flash", timeoutMs: 3_000 },
    ],
    [
      { mode: "flash", timeout: "1m30s" },
      { kind: "flash", timeoutMs: 90_000 },
    ],
    [
      { mode: "flash", timeout: "24h" },
      { kind: "flash", timeoutMs: 86_400_000 },
    ],
  ])("%j", (parameters, wanted) => {
    expect(create(parameters).mode).toEqual(wanted);
  });

  test.each(["0.5", "500ms", "25h", "soon", "-3", "", 0.2, 1e21])("a timeout of %j is refused", (timeout) => {
    expect(refusal(() => create({ mode: "flash", timeout }))).toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("parameter 'timeout'"),
    });
  });

  test("a timeout belongs to a service that sleeps", () => {
    expect(refusal(() => create({ timeout: 3 }))).toMatchObject({
      message: "parameter 'timeout': only a service with mode=flash has one",
      hint: "Add mode=flash to let it sleep.",
    });
    expect(refusal(() => update({ timeout: 3 })).hint).toContain("mode=flash");
    expect(refusal(() => create({ mode: "regular", timeout: 3 })).hint).toContain("Leave it out");
    expect(refusal(() => create({ mode: "sometimes" })).hint).toContain("flash");
  });

  test("an update keeps what it does not name", () => {
    expect(update({ timeout: "5m" }, {}, flash)).toEqual({ mode: { kind: "flash", timeoutMs: 300_000 } });
    expect(update({ mode: "flash" }, {}, flash)).toEqual({ mode: flash.mode });
    expect(update({ mode: "flash" })).toEqual({ mode: { kind: "flash", timeoutMs: 10_000 } });
    expect(update({ mode: "regular" }, {}, flash)).toEqual({ mode: REGULAR });
    // As a form sends it that shows all and changed one field.
    expect(update({ mode: "regular", timeout: "3s" }, {}, flash)).toEqual({ mode: REGULAR });
    expect(refusal(() => update({ mode: "regular", timeout: "4s" }, {}, flash)).message).toContain("'timeout'");
  });
});

describe("how it is reached", () => {
  test.each([
    [{ listen: "localhost" }, { listen: "127.0.0.1" }],
    [{ listen: "*" }, { listen: "0.0.0.0" }],
    [
      { listen: "::", ssl: "require" },
      { listen: "::", ssl: "require" },
    ],
    [{ ssl_mode: "disable" }, { ssl: "off" }],
    [{ ssl: "off" }, { ssl: "off" }],
    [{ ssl: "prefer" }, { ssl: "allow" }],
    [{ ssl_mode: "require", ssl: "require" }, { ssl: "require" }],
    [{ allow: " 10.0.0.0/8, 192.168.1.7 ,10.0.0.0/8" }, { allow: ["10.0.0.0/8", "192.168.1.7"] }],
    [{ allow: ["fd00::/8"] }, { allow: ["fd00::/8"] }],
    [{ allow: "" }, { allow: [] }],
    [{ hold: 0 }, { holdMs: 0 }],
    [{ hold: "2m" }, { holdMs: 120_000 }],
  ])("%j", (parameters, wanted) => {
    expect(create(parameters).policy).toEqual(wanted);
  });

  test.each([
    ["listen", "example.com"],
    ["listen", "10.0.0.0/8"],
    ["listen", "fe80::1%eth0"],
    ["listen", ""],
    ["ssl", "verify-full"],
    ["ssl_mode", "on"],
    ["allow", "10.0.0.0/33"],
    ["allow", "10.0.0.0/8/8"],
    ["allow", "10.0.0.0/ 8"],
    ["allow", "localhost"],
    ["allow", Array.from({ length: 257 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)],
    ["hold", "61m"],
    ["hold", "-1"],
  ])("%s=%j is refused", (name, value) => {
    expect(refusal(() => create({ [name]: value }))).toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(`parameter '${name}'`),
    });
  });

  test("beyond the loopback it needs TLS, also together with what the service has", () => {
    const needsTls = { message: expect.stringContaining("needs TLS"), hint: expect.stringContaining("ssl=require") };
    expect(create({ listen: "0.0.0.0" }).policy).toEqual({ listen: "0.0.0.0" });
    expect(refusal(() => create({ listen: "0.0.0.0", ssl: "off" }))).toMatchObject(needsTls);
    expect(refusal(() => create({ listen: "::", ssl: "allow" }))).toMatchObject(needsTls);
    const lan = serviceView({ policy: LAN });
    expect(refusal(() => update({ ssl: "off" }, {}, lan))).toMatchObject(needsTls);
    const plain = serviceView({ policy: { ...LAN, listen: "127.0.0.1", ssl: "off" } });
    expect(refusal(() => update({ listen: "*" }, {}, plain))).toMatchObject(needsTls);
    expect(update({ listen: "*", ssl: "require" }, {}, plain).policy).toEqual({ listen: "0.0.0.0", ssl: "require" });
    expect(update({ listen: "localhost" }, {}, lan).policy).toEqual({ listen: "127.0.0.1" });
  });

  test("two names with two values", () => {
    expect(refusal(() => create({ ssl: "allow", ssl_mode: "require" })).message).toContain("given twice");
  });

  test("only what is named changes, and the host that is shown can be sent back", () => {
    const lan = serviceView({ policy: LAN, endpoint: { host: "127.0.0.1", port: 5432 } });
    expect(update({ hold: "5s", host: "localhost" }, {}, lan)).toEqual({ policy: { holdMs: 5_000 } });
    const one = serviceView({ policy: { ...LAN, listen: "192.0.2.1" }, endpoint: { host: "192.0.2.1", port: 5432 } });
    expect(update({ host: "192.0.2.1" }, {}, one)).toEqual({});
    expect(refusal(() => update({ host: "127.0.0.1" }, {}, one)).message).toContain("'host'");
  });
});

describe("update", () => {
  test("only what is named changes", () => {
    expect(update({})).toEqual({});
    expect(update({ password: "new", "set.work_mem": "1MB", "set.jit": null })).toEqual({
      password: "new",
      settings: { work_mem: "1MB", jit: null },
    });
    expect(update({ memory: null })).toEqual({ memoryBytes: null });
    expect(update({}, { dockerImage: "postgres:17" })).toEqual({ major: 17 });
  });

  test("an empty or hidden password stays as it is", () => {
    expect(update({ password: "" })).toEqual({});
    expect(update({ password: HIDDEN })).toEqual({});
  });

  test("the endpoint moves only when asked to; the engine and what initdb reads stay", () => {
    expect(update({ port: "5432", host: "127.0.0.1", engine: "embedded" })).toEqual({});
    expect(update({ port: 5433 })).toEqual({ port: 5433 });
    expect(refusal(() => update({ engine: "system" })).message).toContain("stays with it");
    expect(refusal(() => update({ initdb_args: "--no-sync" })).message).toContain("only read when");
  });

  test("what is shown can be sent back and changes nothing", () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/);
    const text = fc.string({ maxLength: 30 });
    const view = fc.record({
      major: fc.constantFrom(...SUPPORTED_MAJORS),
      database: text,
      username: text,
      memoryBytes: fc.integer({ min: 1024 ** 2, max: 2 ** 45 }),
      settings: fc.dictionary(fc.oneof(name, fc.constant("max_connections")), text, { noNullPrototype: true }),
      password: fc.option(text),
      endpoint: fc.record({ host: fc.constant("127.0.0.1"), port: fc.integer({ min: 1, max: 65_535 }) }),
      mode,
      policy,
    });
    fc.assert(
      fc.property(view, (part) => {
        const current = serviceView(part);
        const change = update(parametersOf(current), {}, current);
        const { settings = {}, password, policy: sent = {}, ...rest } = change;
        expect(rest).toEqual({
          database: current.database,
          username: current.username,
          memoryBytes: current.memoryBytes,
          major: current.major,
          mode: current.mode,
        });
        // What the address alone decides stays so.
        expect(sent).not.toHaveProperty("ssl");
        expect({ ...current.policy, ...sent }).toEqual(current.policy);
        expect(settings).toEqual(current.settings);
        expect(password ?? null).toBe(part.password === "" || part.password === HIDDEN ? null : part.password);
      }),
    );
  });
});

describe("what is shown", () => {
  test("all of it as text, the password hidden", () => {
    const view = serviceView({ settings: { max_connections: "50", work_mem: "64MB" }, image: "postgres:18" });
    expect(parametersOf(view)).toEqual({
      version: "18",
      docker_image: "postgres:18",
      database: "postgres",
      username: "postgres",
      password: "***",
      host: "127.0.0.1",
      port: "5432",
      mode: "regular",
      listen: "127.0.0.1",
      ssl_mode: "disable",
      allow: "",
      hold: "1m",
      memory: "512Mi",
      engine: "embedded",
      max_connections: "50",
      "set.work_mem": "64MB",
    });
    expect(parametersOf(serviceView({ password: "open" }))["password"]).toBe("open");
  });

  test("the JSON Schema names every parameter and refuses others", () => {
    const schema = PARAMETER_SCHEMA;
    expect(Object.keys(schema["properties"] as object)).toEqual(Object.keys(PostgresParameters.shape));
    expect(schema["additionalProperties"]).toBe(false);
    expect(Object.keys(schema["patternProperties"] as object)).toEqual(["^set\\."]);
    expect(schema).not.toHaveProperty("required");
  });
});
