import { fileURLToPath } from "node:url";

/**
 * V8 keeps young objects in up to 32 MB, of which a control process at rest uses next to nothing. Less of it costs some
 * collections and saves 28 MB; and since starting a program copies the page tables of who starts it, every wake is
 * quicker for it.
 */
export const SERVER_NODE_OPTIONS = "--max-semi-space-size=1";

/** The committed entry point beside the build: what a unit or a loop starts. */
export function programPath(): string {
  return fileURLToPath(new URL("../../../bin/howdah.js", import.meta.url));
}
