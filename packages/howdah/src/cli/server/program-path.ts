import { fileURLToPath } from "node:url";

/** The committed entry point beside the build: what a unit or a loop starts. */
export function programPath(): string {
  return fileURLToPath(new URL("../../../bin/howdah.js", import.meta.url));
}
