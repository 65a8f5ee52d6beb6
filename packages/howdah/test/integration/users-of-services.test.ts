import { cpSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processesOf } from "../../src/runtime/index.js";
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
    // Both have the same port, so only one can run.
    await howdah.ok(["services", "stop", "one"]);
    await howdah.ok(["server", "stop"]);
    const copy = new Installation();
    try {
      cpSync(howdah.home, copy.home, { recursive: true, preserveTimestamps: true });
      await copy.ok(["services", "start", "one"]);
      expect(uidOf(copy, id)).not.toBe(uidOf(howdah, id));
      expect(await query(await copy.url("one"), "select 1 as n")).toEqual([{ n: 1 }]);
    } finally {
      await copy[Symbol.asyncDispose]();
    }
  });

  it("runs nothing any more when the service is removed, and is not the next one's", async () => {
    await howdah.ok(["services", "start", "one"]);
    const { id } = await howdah.json(["services", "show", "one"]);
    const uid = uidOf(howdah, id);
    // Not readable, so root's in /proc; and it is no server process.
    const hide = "cp /bin/sleep x && chmod 111 x && (setsid ./x 4711 </dev/null >/dev/null 2>&1 &)";
    await query(await howdah.url("one"), `copy (select 1) to program '${hide}'`);
    await howdah.ok(["services", "remove", "one", "-y"]);
    expect(processesOf(uid)).toEqual([]);
    await howdah.ok(["services", "create", "-t", "postgres", "-n", "two", "-y"]);
    expect(uidOf(howdah, (await howdah.json(["services", "show", "two"])).id)).not.toBe(uid);
  });
});
