import { afterAll, describe, expect, it } from "vitest";
import { createLogger } from "../../kernel/log.js";
import { findBundled } from "./bundled.js";
import { describeSettings, parseDescription, parseEnumHints } from "./describe-settings.js";
import { createEngines } from "./engines.js";
import { embeddedPlatform, thisMachine } from "./platform.js";
import { temporaryFolder } from "./testing/temporary.js";

const platform = embeddedPlatform(thisMachine);
const bundled = platform === null ? null : findBundled(platform);
if (bundled === null) console.warn("SKIPPED: settings of the bundled PostgreSQL: it is not installed on this platform");

describe("describing settings", () => {
  const folder = temporaryFolder("describe");
  afterAll(() => folder.remove());

  it.skipIf(bundled === null)("asks the real program, also as root", async () => {
    // A copy: in the package itself the links between libraries are missing.
    const distribution = await createEngines({ engines: folder.path, log: createLogger("silent") }).resolve(
      18,
      "embedded",
    );
    const settings = await describeSettings(distribution);
    expect(settings.size).toBeGreaterThan(300);
    expect(settings.get("work_mem")).toEqual({
      name: "work_mem",
      context: "user",
      type: "integer",
      min: 64,
      max: 2_147_483_647,
      enumValues: null,
    });
    expect(settings.get("wal_level")).toMatchObject({
      context: "postmaster",
      type: "enum",
      enumValues: ["minimal", "replica", "logical"],
    });
    expect(settings.get("timezone")).toMatchObject({ name: "TimeZone", type: "string", min: null });
    expect(settings.get("seq_page_cost")).toMatchObject({ type: "real", min: 0 });
    const enums = [...settings.values()].filter((s) => s.type === "enum" && s.context !== "internal");
    expect(enums.length).toBeGreaterThan(25);
    expect(enums.filter((s) => s.enumValues === null)).toEqual([]);
    expect(await describeSettings(distribution)).toBe(settings);
  });

  it("refuses a program that describes nothing", async () => {
    const distribution = { kind: "system", major: 18, version: "0", binDir: "/nonexistent", extensionDir: "" } as const;
    await expect(describeSettings(distribution)).rejects.toThrow("ENOENT");
  });

  it("passes over lines that are none", () => {
    expect(parseDescription("\nwarning\nfsync\tsighup\tgroup\tBOOLEAN\tTRUE\t\t\tdo it\t\n")).toEqual([
      { name: "fsync", context: "sighup", type: "bool", min: null, max: null, enumValues: null },
    ]);
  });

  it("pairs hints with the settings before them", () => {
    const text =
      'x LOG:  invalid value for parameter "a": "no"\nx HINT:  Available values: on, off.\nx LOG:  invalid value for parameter "b": "no"\nx LOG:  other\n';
    expect(parseEnumHints(text)).toEqual(new Map([["a", ["on", "off"]]]));
  });
});
