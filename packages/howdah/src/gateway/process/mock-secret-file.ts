import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { errnoOf } from "../../kernel/errors.js";

const SECRET = /^[0-9a-f]{64}$/;

/**
 * What the salts of roles that do not exist are made from (hexadecimal), made at the first time and kept for good: the
 * salt of a role that exists stays the same over a restart of the machine, and one that does not would tell that there is
 * no such role. Throws the system's error.
 */
export function mockSecretOf(path: string): string {
  for (;;) {
    const known = read(path);
    if (known !== null) return known;
    const draft = `${path}.${process.pid}`;
    try {
      writeFileSync(draft, randomBytes(32).toString("hex"), { mode: 0o600 });
      // Whole or not at all; another keeper may have been quicker, and then its secret counts.
      linkSync(draft, path);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

/** null: there is none, or what is there is none and was taken away. */
function read(path: string): string | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
  if (SECRET.test(text)) return text;
  rmSync(path);
  return null;
}
