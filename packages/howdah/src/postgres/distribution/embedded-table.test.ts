import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SUPPORTED_MAJORS } from "../../spec/index.js";
import { EMBEDDED_TABLE, packageName, postgresVersion } from "./embedded-table.js";

const platforms = Object.keys(EMBEDDED_TABLE) as (keyof typeof EMBEDDED_TABLE)[];
const json = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

describe("table of embedded packages", () => {
  it.each(platforms)("has 15 to 18 for %s, each with a SHA-512", (platform) => {
    const majors = EMBEDDED_TABLE[platform].map((p) => p.major);
    expect(majors).toEqual(platform === "linux-x64" ? [...SUPPORTED_MAJORS] : [15, 16, 17, 18]);
    for (const { major, version, integrity } of EMBEDDED_TABLE[platform]) {
      expect(version).toMatch(new RegExp(`^${major}\\.\\d+\\.\\d+-beta\\.\\d+$`));
      expect(Buffer.from(integrity.replace("sha512-", ""), "base64")).toHaveLength(64);
    }
  });

  it("agrees with the optional dependency and its lock", () => {
    const manifest = json("../../../package.json");
    const lock = json("../../../../../package-lock.json");
    for (const platform of platforms) {
      const name = packageName(platform);
      const entry = EMBEDDED_TABLE[platform].find((p) => p.major === 18);
      expect(manifest.optionalDependencies[name]).toBe(entry?.version);
      expect(lock.packages[`node_modules/${name}`].integrity).toBe(entry?.integrity);
    }
  });

  it("has no package twice", () => {
    const all = platforms.flatMap((p) => EMBEDDED_TABLE[p].map((e) => e.integrity));
    expect(new Set(all).size).toBe(all.length);
  });

  it("knows PostgreSQL's version from the package's", () => {
    expect(postgresVersion("18.4.0-beta.17")).toBe("18.4");
  });
});
