import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/** Codes are for scripts, so docs/reference/compose.md lists each one, with its severities, and no other. */
it("lists every code of the compose door", () => {
  const said = new Map<string, Set<string>>();
  const add = (code: string, severity: string) => said.set(code, (said.get(code) ?? new Set()).add(severity));
  const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  for (const name of sources) {
    const source = readFileSync(join(import.meta.dirname, name), "utf8");
    for (const [, severity, code] of source.matchAll(/\.(error|warning|notice)\(\s*"([a-z-]+)"/g))
      add(code ?? "", severity ?? "");
    for (const [, code] of source.matchAll(/(?:reported\(\s*context|#stop\(nothing),\s*"([a-z-]+)"/g))
      add(code ?? "", "error");
  }
  const page = readFileSync(join(import.meta.dirname, "../../../../../docs/reference/compose.md"), "utf8");
  const rows = [...page.slice(page.indexOf("## Messages")).matchAll(/^\| `([a-z-]+)` \| ([a-z, ]+) \|/gm)];
  const listed = rows.map(([, code, severities]) => `${code}: ${severities}`);
  expect(listed.sort()).toEqual([...said].map(([code, set]) => `${code}: ${[...set].sort().join(", ")}`).sort());
});
