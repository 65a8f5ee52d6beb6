import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Stack } from "../../spec/index.js";
import { type ComposeInput, type ComposeResult, parseCompose } from "./index.js";
import { diskReader } from "./load-compose.js";

/*
 * What every fixture becomes, as a whole. After a wanted change:
 *   UPDATE_GOLDEN=1 npx vitest run --project unit packages/howdah/src/manifests/compose/golden.test.ts
 * and read the difference before it is committed.
 */
const update = process.env["UPDATE_GOLDEN"] === "1";
const fixtures = join(import.meta.dirname, "fixtures");
/** The fixture's folder as the user would see it, so that no golden file holds a path of one machine. */
const SEEN = "/home/user";

function parse(name: string): ComposeResult {
  const folder = join(fixtures, name);
  const text = (file: string) => readFileSync(join(folder, file), "utf8");
  const optional = (file: string) => (existsSync(join(folder, file)) ? { file, text: text(file) } : undefined);
  const override = optional("compose.override.yaml");
  const dotenv = optional(".env");
  const disk = diskReader(folder);
  const input: ComposeInput = {
    file: "compose.yaml",
    text: text("compose.yaml"),
    folder: `${SEEN}/${name}`,
    ...(override === undefined ? {} : { overrides: [override] }),
    ...(dotenv === undefined ? {} : { dotenv }),
    shell: { SHELL_ONLY: "never used", POSTGRES_PASSWORD: "never used" },
    reader: { read: (path, maxBytes) => disk.read(path.replace(`${SEEN}/${name}`, folder), maxBytes) },
  };
  return parseCompose(input);
}

describe("compose fixtures", () => {
  const names = readdirSync(fixtures);

  it("has fixtures", () => expect(names.length).toBeGreaterThanOrEqual(20));

  it.each(names)("%s", (name) => {
    const result = parse(name);
    const path = join(fixtures, name, "expected.golden.json");
    const actual = `${JSON.stringify(result, null, 2)}\n`;
    if (update) writeFileSync(path, actual);
    expect(actual).toBe(readFileSync(path, "utf8"));
    expect(actual).not.toContain("never used");
  });

  it.each(names)("%s gives a valid stack, or an error, and a place with everything it says", (name) => {
    const { stack, diagnostics } = parse(name);
    expect(stack === null).toBe(diagnostics.some(({ severity }) => severity === "error"));
    if (stack !== null) expect(Stack.parse(stack)).toEqual(stack);
    for (const { message, hint, place } of diagnostics) {
      expect(place?.line).toBeGreaterThanOrEqual(1);
      expect(place?.column).toBeGreaterThanOrEqual(1);
      expect(message).not.toMatch(/\.$/);
      if (hint !== undefined) expect(hint).toMatch(/[.?]$/);
    }
  });
});
