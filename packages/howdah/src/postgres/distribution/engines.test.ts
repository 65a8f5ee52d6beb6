import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createLogger } from "../../kernel/log.js";
import type { Distribution } from "../types.js";
import { findBundled } from "./bundled.js";
import { EMBEDDED_TABLE } from "./embedded-table.js";
import { createEngines, type EnginesOptions } from "./engines.js";
import { hasExtension } from "./extensions.js";
import { makeOwnedFolder, sweepOwnedFolders } from "./owned-folder.js";
import { embeddedPlatform, thisMachine } from "./platform.js";
import { runProgram } from "./run-program.js";
import { temporaryFolder } from "./testing/temporary.js";

const log = createLogger("silent");
const platform = embeddedPlatform(thisMachine);
const bundled = platform === null ? null : findBundled(platform);
const noSystem = () => Promise.resolve(null);

if (bundled === null)
  console.warn("SKIPPED: engines with the bundled PostgreSQL: it is not installed on this platform");
const withBundled = bundled === null ? describe.skip : describe;

withBundled("engines with the bundled PostgreSQL", () => {
  const folder = temporaryFolder("engines");
  const engines = join(folder.path, "engines");
  const make = (options: Partial<EnginesOptions> = {}) =>
    createEngines({ engines, log, findSystem: noSystem, ...options });
  const rubbish = () => readdirSync(engines).filter((name) => name.startsWith("."));
  let found: Distribution;

  beforeAll(async () => {
    // Many callers share one copy, and another installer beside them does no harm.
    const one = make();
    const all = await Promise.all(Array.from({ length: 10 }, () => one.resolve(18)).concat(make().ensure(18)));
    found = all[0] as Distribution;
    expect(all.every((d) => d.binDir === found.binDir)).toBe(true);
  }, 60_000);
  afterAll(() => folder.remove());

  it("copies it under the engines' folder at first use and leaves nothing else there", async () => {
    expect(found).toEqual({
      kind: "embedded",
      major: 18,
      version: "18.4",
      binDir: join(engines, "embedded-18-18.4.0-beta.17", "bin"),
      extensionDir: join(engines, "embedded-18-18.4.0-beta.17", "share/postgresql/extension"),
    });
    expect(rubbish()).toEqual([]);
    const inode = statSync(join(found.binDir, "postgres")).ino;
    await make().resolve(18, "embedded");
    expect(statSync(join(found.binDir, "postgres")).ino).toBe(inode);
  });

  it("lets every other user run it", async () => {
    const root = join(found.binDir, "..");
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (entry.isSymbolicLink()) continue;
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
      expect([0o644, 0o755], join(entry.parentPath, entry.name)).toContain(mode);
    }
    const uid = process.geteuid?.() === 0 ? 70_123 : null;
    const run = await runProgram(join(found.binDir, "postgres"), ["--version"], { cwd: "/", env: {}, uid });
    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining("18.4") });
  });

  it("knows which extensions there are", async () => {
    expect(await hasExtension(found, "pg_stat_statements")).toBe(true);
    expect(await hasExtension(found, "vector")).toBe(false);
    expect(await hasExtension(found, "../extension/plpgsql")).toBe(false);
  });

  it("lists what is here and what could be downloaded", async () => {
    const list = await make().list();
    expect(list.find((e) => e.major === 18)).toEqual({
      major: 18,
      version: "18.4",
      kind: "embedded",
      installed: true,
      path: found.binDir,
      endOfLife: false,
    });
    expect(list.find((e) => e.major === 17)).toMatchObject({ version: "17.10", installed: false, path: null });
    if (platform === "linux-x64") expect(list.find((e) => e.major === 14)).toMatchObject({ endOfLife: true });
  });

  it("says how to get a major that is not installed", async () => {
    await expect(make().resolve(16)).rejects.toMatchObject({
      code: "ENGINE_NOT_INSTALLED",
      hint: "Install it with 'howdah engines install 16'.",
    });
  });

  it("takes any kind for new data, and for old ones the kind that made them or none", async () => {
    const system: Distribution = { kind: "system", major: 18, version: "18.1", binDir: "/x", extensionDir: "/x" };
    const findSystem = (major: number) => Promise.resolve(major === 18 ? system : null);
    const both = make({ findSystem });
    expect((await both.resolve(18)).kind).toBe("embedded");
    expect((await both.resolve(18, "system")).kind).toBe("system");
    expect((await both.resolve(18, "embedded")).kind).toBe("embedded");
    const onlySystem = make({ bundled: null, engines: join(folder.path, "none"), findSystem });
    expect((await onlySystem.resolve(18)).kind).toBe("system");
    await expect(onlySystem.resolve(18, "embedded")).rejects.toMatchObject({ code: "ENGINE_NOT_INSTALLED" });
    for (const gone of [make().resolve(18, "system"), make().ensure(18, { prefer: "system" })]) {
      await expect(gone).rejects.toMatchObject({
        code: "ENGINE_NOT_INSTALLED",
        hint: expect.stringContaining("from your system's packages again"),
      });
    }
  });

  it("does not offer embedded binaries to a musl system", async () => {
    const alpine = { os: "linux", arch: "x64", exists: () => false };
    const engine = make({ machine: alpine });
    expect(await engine.list()).toEqual([]);
    await expect(engine.install(18)).rejects.toMatchObject({ code: "PLATFORM_UNSUPPORTED" });
    await expect(engine.resolve(18)).rejects.toMatchObject({ code: "ENGINE_NOT_INSTALLED" });
  });

  it("refuses a major that is not in the table", async () => {
    const table = { ...EMBEDDED_TABLE, "linux-x64": [], "linux-arm64": [], "darwin-arm64": [], "darwin-x64": [] };
    await expect(make({ table }).install(14)).rejects.toMatchObject({ code: "VERSION_UNSUPPORTED" });
  });

  it("sweeps the leftovers of a killed installer, not those of a living one", async () => {
    const dead = join(engines, ".install.999999999.0123456789ab.0123456789ab");
    const reused = join(engines, `.install.${process.pid}.0123456789ab.0123456789ab`);
    for (const path of [dead, reused]) await mkdir(path);
    await writeFile(join(dead, "half"), "");
    const living = await makeOwnedFolder(engines, "install");
    await make().list();
    expect([dead, reused, living].map((path) => existsSync(path))).toEqual([false, false, true]);
    await rm(living, { recursive: true });
  });

  it("ends what still runs in such a folder", async () => {
    if (process.platform !== "linux") return console.warn("SKIPPED: working directories are only told by /proc");
    const dead = join(engines, ".install.999999999.0123456789ab.0123456789ab");
    await mkdir(dead);
    const orphan = runProgram("/bin/sleep", ["600"], { cwd: dead, env: {} });
    expect(await sweepOwnedFolders(engines)).toBe(1);
    expect((await orphan).killedBy).toBe("SIGKILL");
  });

  it("removes an engine as a whole, and the bundled one comes back at its next use", async () => {
    await make().remove(18);
    expect(readdirSync(engines)).toEqual([]);
    await expect(make().remove(18)).rejects.toMatchObject({ code: "ENGINE_NOT_INSTALLED" });
    expect((await make().list()).find((e) => e.major === 18)).toMatchObject({ installed: true });
    const messages: string[] = [];
    expect(await make().install(18, (m) => messages.push(m))).toEqual(found);
    expect(messages).toEqual(["copying PostgreSQL 18.4"]);
  });

  it("replaces a bundled engine by a newer one and keeps the old for the servers that run on it", async () => {
    const newer = { ...(bundled as NonNullable<typeof bundled>), version: "18.4.0-beta.18" };
    expect((await make({ bundled: newer }).resolve(18)).binDir).toContain("beta.18");
    expect(existsSync(found.binDir)).toBe(true);
    // Downloaded once, no longer bundled: the newest is taken.
    expect((await make({ bundled: null }).resolve(18)).binDir).toContain("beta.18");
  });

  it("goes on with the engine before when the new bundle is broken", async () => {
    const broken = { ...(bundled as NonNullable<typeof bundled>), version: "18.5.0-beta.1" };
    expect((await make({ bundled: broken }).resolve(18)).binDir).toContain("beta.18");
    expect(rubbish()).toEqual([]);
    await expect(make({ bundled: broken, engines: join(folder.path, "fresh") }).resolve(18)).rejects.toMatchObject({
      code: "ENGINE_CORRUPT",
    });
    expect(readdirSync(join(folder.path, "fresh"))).toEqual([]);
  });

  afterEach(() => expect(rubbish()).toEqual([]));
});
