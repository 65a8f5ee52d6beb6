#!/usr/bin/env node
/**
 * Writes docs/reference/ from the build, so that the pages cannot say anything else than the code does.
 * With --check it writes nothing and fails with the names of the pages that differ.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const pages = {
  "docs/reference/cli.md": () => import("./reference/cli.mjs"),
  "docs/reference/environment.md": () => import("./reference/environment.mjs"),
  "docs/reference/errors.md": () => import("./reference/errors.mjs"),
  "docs/reference/openapi.json": () => import("./reference/openapi.mjs"),
};

const check = process.argv.includes("--check");
if (!existsSync(join(root, "packages/howdah/dist/kernel/errors.js"))) {
  console.error("there is no build: run 'npm run build' first");
  process.exit(1);
}

const stale = [];
for (const [page, load] of Object.entries(pages)) {
  const file = join(root, page);
  const { generate } = await load();
  const text = await generate();
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  if (check) {
    stale.push(page);
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`written: ${relative(process.cwd(), file)}`);
}
if (stale.length > 0) {
  console.error(`out of date: ${stale.join(", ")}\nRun 'npm run build && npm run reference' and commit the result.`);
  process.exit(1);
}
