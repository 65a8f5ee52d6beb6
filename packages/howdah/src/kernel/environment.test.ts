import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { inheritedEnvironment, minimalEnvironment, readEnvironment, VARIABLES } from "./environment.js";

afterEach(() => vi.restoreAllMocks());

describe("environment", () => {
  test("without variables everything has its default", () => {
    const environment = readEnvironment({});
    expect(environment).toEqual({
      home: environment.isRoot ? "/var/lib/howdah" : expect.stringContaining(homedir()),
      apiPort: 7700,
      apiPortExplicit: false,
      logLevel: "info",
      poolSize: 2,
      firstPort: 5432,
      defaultMemory: "512M",
      isRoot: process.getuid?.() === 0,
      user: userInfo().username,
    });
    expect(Object.isFrozen(environment)).toBe(true);
  });

  test("each variable is read", () => {
    const variables = {
      HOWDAH_HOME: "some/folder",
      HOWDAH_API_PORT: "0",
      HOWDAH_LOG_LEVEL: "debug",
      HOWDAH_POOL_SIZE: "0",
      HOWDAH_FIRST_PORT: "20000",
      HOWDAH_DEFAULT_MEMORY: "1Gi",
    };
    expect(readEnvironment(variables)).toMatchObject({
      home: resolve("some/folder"),
      apiPort: 0,
      apiPortExplicit: true,
      logLevel: "debug",
      poolSize: 0,
      firstPort: 20_000,
      defaultMemory: "1Gi",
    });
  });

  test("the list for the reference names exactly what is read", () => {
    const asked = new Set<string | symbol>();
    const spy = new Proxy({}, { get: (_, name) => void asked.add(name) });
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    readEnvironment(spy);
    const names = VARIABLES.map((v) => v.name);
    if (process.platform === "darwin") asked.add("XDG_DATA_HOME");
    expect([...asked].sort()).toEqual([...names].sort());
  });

  test("an empty variable is as good as none", () => {
    const names = [
      "HOWDAH_HOME",
      "HOWDAH_API_PORT",
      "HOWDAH_LOG_LEVEL",
      "HOWDAH_POOL_SIZE",
      "HOWDAH_FIRST_PORT",
      "HOWDAH_DEFAULT_MEMORY",
    ];
    expect(readEnvironment(Object.fromEntries(names.map((n) => [n, ""])))).toEqual(readEnvironment({}));
  });

  test("root's home is where other users may enter; an ordinary user's is their own", () => {
    const getuid = vi.spyOn(process, "getuid").mockReturnValue(0);
    expect(readEnvironment({ XDG_DATA_HOME: "/data" }).home).toBe("/var/lib/howdah");
    getuid.mockReturnValue(1000);
    const { home, isRoot } = readEnvironment({ XDG_DATA_HOME: "/data" });
    expect(isRoot).toBe(false);
    expect(home).toBe(
      process.platform === "darwin" ? join(homedir(), "Library", "Application Support", "howdah") : "/data/howdah",
    );
  });

  test.each([
    ["HOWDAH_API_PORT", "65536"],
    ["HOWDAH_API_PORT", "-1"],
    ["HOWDAH_API_PORT", "http"],
    ["HOWDAH_API_PORT", " "],
    ["HOWDAH_API_PORT", "0x1F"],
    ["HOWDAH_API_PORT", "77.5"],
    ["HOWDAH_API_PORT", "1e3"],
    ["HOWDAH_POOL_SIZE", "65"],
    ["HOWDAH_LOG_LEVEL", "loud"],
    ["HOWDAH_LOG_LEVEL", "INFO"],
    ["HOWDAH_DEFAULT_MEMORY", "much"],
  ])("%s='%s' is refused by name", (name, value) => {
    expect(() => readEnvironment({ [name]: value })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining(`${name} is '${value}'`) }),
    );
  });

  test("PostgreSQL's programs get nothing of the user's", () => {
    vi.stubEnv("PGPASSWORD", "secret");
    expect(Object.keys(minimalEnvironment()).sort()).toEqual(["LANG", "LC_ALL", "PATH", "TZ"]);
    expect(inheritedEnvironment()["PGPASSWORD"]).toBe("secret");
    vi.unstubAllEnvs();
  });
});
