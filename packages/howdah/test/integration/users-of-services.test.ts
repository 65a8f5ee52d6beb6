import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Installation, query } from "../support/installation.js";
import { isRoot } from "../support/server.js";

const uidOf = (howdah: Installation, id: number) => statSync(join(howdah.home, "services", String(id))).uid;

describe.runIf(isRoot)("as root, the user of a service", () => {
  let howdah: Installation;
  beforeAll(async () => {
    howdah = new Installation();
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "one", "-y"]);
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  it("is another in a copy of the home", async () => {
    const { id } = await howdah.json(["services", "show", "one"]);
    await howdah.ok(["services", "stop", "one"]);
    await howdah.ok(["server", "stop"]);
    const gateway = howdah.gateway();
    const copy = new Installation();
    try {
      execFileSync("cp", ["-a", howdah.home, copy.home]);
      // Both have the same port, and the original's gateway, which the copy's files name, has it.
      expect((await copy.run(["services", "start", "one"])).stderr).toContain("(PORT_TAKEN)");
      await copy.ok(["server", "stop", "--all"]);
      expect(howdah.gateway()).toEqual(gateway);
      await howdah.ok(["server", "stop", "--all"]);
      await copy.ok(["services", "start", "one"]);
      expect(uidOf(copy, id)).not.toBe(uidOf(howdah, id));
      expect(await query(await copy.url("one"), "select 1 as n")).toEqual([{ n: 1 }]);
    } finally {
      await copy[Symbol.asyncDispose]();
    }
  });

  it("runs nothing any more when the service is removed, whatever it was", async () => {
    await howdah.ok(["services", "start", "one"]);
    const { id } = await howdah.json(["services", "show", "one"]);
    const uid = uidOf(howdah, id);
    await howdah.ok(["services", "stop", "one"]);
    // What got over the stop, and is no server process; not readable, so that its folder in /proc is root's.
    const program = join(howdah.folder, "hidden");
    copyFileSync("/bin/sleep", program);
    chmodSync(program, 0o111);
    const left = spawn(program, ["4711"], { uid, gid: uid, cwd: "/", stdio: "ignore" });
    await once(left, "spawn");
    const ended = once(left, "exit");
    await howdah.ok(["services", "remove", "one", "-y"]);
    await ended;
  });
});
