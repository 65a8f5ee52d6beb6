import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createLogger } from "../../kernel/log.js";
import { findSystem, systemCandidates } from "./system.js";
import { temporaryFolder } from "./testing/temporary.js";

const log = createLogger("silent");
const debian15 = "/usr/lib/postgresql/15/bin";
const isThere = existsSync(`${debian15}/initdb`);
if (!isThere) console.warn(`SKIPPED: a system's PostgreSQL: there is none in ${debian15}`);

describe("the system's PostgreSQL", () => {
  const folder = temporaryFolder("system");
  afterAll(() => folder.remove());

  it.skipIf(!isThere)("is found in Debian's folder", async () => {
    expect(await findSystem(15, log)).toMatchObject({
      kind: "system",
      major: 15,
      version: expect.stringMatching(/^15\.\d+$/),
      binDir: debian15,
      extensionDir: "/usr/share/postgresql/15/extension",
    });
  });

  it.skipIf(!isThere)("is passed over when it is of another major or only a client", async () => {
    const candidate = { binDir: debian15, extensionDir: "/usr/share/postgresql/15/extension" };
    expect(await findSystem(16, log, [candidate])).toBeNull();
    expect(await findSystem(15, log, [{ ...candidate, extensionDir: "/nonexistent" }])).toBeNull();
  });

  it("is passed over with a warning when it does not run", async () => {
    const binDir = join(folder.path, "bin");
    await mkdir(binDir);
    await symlink("/bin/false", join(binDir, "postgres"));
    const warnings: string[] = [];
    const listening = createLogger("warn", { write: (line) => void warnings.push(line) });
    expect(await findSystem(17, listening, [{ binDir, extensionDir: "/x" }])).toBeNull();
    expect(warnings.join()).toContain("system PostgreSQL passed over");
  });

  it("is looked for in the packagers' folders of that major", () => {
    const folders = systemCandidates(16).map((c) => c.binDir);
    expect(folders).toContain("/usr/lib/postgresql/16/bin");
    expect(folders).toContain("/usr/pgsql-16/bin");
    expect(folders).toContain("/opt/homebrew/opt/postgresql@16/bin");
  });
});
