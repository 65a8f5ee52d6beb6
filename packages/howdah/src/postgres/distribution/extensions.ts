import { existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../kernel/errors.js";
import type { Distribution } from "../types.js";

/** Whether `create extension <name>` can find its control file. A name with a path in it is never there. */
export async function hasExtension(distribution: Distribution, name: string): Promise<boolean> {
  if (!/^[A-Za-z0-9_-]+$/.test(name)) return false;
  try {
    await access(join(distribution.extensionDir, `${name}.control`));
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

/** Whether a library of the contrib modules is there. Each comes with its extension, in packages too: where the one is
 *  missing, so is the other. Looked up at each start, so a system's packages may come and go. */
export function hasPreloadLibrary(distribution: Pick<Distribution, "extensionDir">, name: string): boolean {
  return existsSync(join(distribution.extensionDir, `${name}.control`));
}
