import { statSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import { readEnvironment } from "../kernel/environment.js";

/**
 * Keeps compiled code between starts, where Node can (22 and later). The folder is the installation's own: Node's
 * default lies in the shared temporary folder, and code that another user could have put there must not be run.
 * Any doubt means no cache; it only saves time.
 */
export function enableCompileCache(): void {
  const enable = "enableCompileCache" in module ? module.enableCompileCache : undefined;
  if (typeof enable !== "function") return;
  try {
    const { home } = readEnvironment();
    if (statSync(home).uid === process.getuid?.()) enable(join(home, "compile-cache"));
  } catch {
    // No home yet, or a broken variable: the command itself reports that.
  }
}
