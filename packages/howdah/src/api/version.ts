import { readFileSync } from "node:fs";

let version: string | undefined;

/** Howdah's own version, from package.json: two folders up from here, in the sources as in the build. */
export function howdahVersion(): string {
  if (version === undefined) {
    const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
    version = (JSON.parse(text) as { version: string }).version;
  }
  return version;
}
