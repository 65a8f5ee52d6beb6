import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { Major } from "../../spec/index.js";
import { type EmbeddedPlatform, packageName } from "./embedded-table.js";

/** The embedded PostgreSQL that came with the npm install of Howdah itself, as an optional dependency. */
export interface Bundled {
  readonly major: Major;
  /** Version of the npm package. */
  readonly version: string;
  /** Its `native` folder. */
  readonly native: string;
}

const Manifest = z.object({ version: z.string() });

/** Looks where Node would look; the package exports no package.json, so the search goes by path. Null when it was
 *  left out (`npm install --omit=optional`) or holds a major that we do not know. */
export function findBundled(platform: EmbeddedPlatform, from: string = import.meta.url): Bundled | null {
  const name = packageName(platform);
  for (const folder of createRequire(from).resolve.paths(name) ?? []) {
    const native = join(folder, name, "native");
    if (!existsSync(join(native, "bin", "postgres"))) continue;
    const { version } = Manifest.parse(JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8")));
    const major = Major.safeParse(Number.parseInt(version, 10));
    if (major.success) return { major: major.data, version, native };
  }
  return null;
}
