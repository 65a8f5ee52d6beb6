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
