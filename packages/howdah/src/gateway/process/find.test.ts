import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { layoutOf } from "../../runtime/index.js";
import { belongsTo, findGatewayProcesses, findKeepers, isOfAnotherHome } from "./find.js";

describe("the command line of a process", () => {
  const file = "/opt/howdah/dist/gateway/process/keeper-main.js";
  it("tells whose gateway it is", () => {
    expect(belongsTo(["node", "--flag", file, "/home/a", "-", "-"], "/home/a", ["keeper-main.js"])).toBe(true);
    expect(belongsTo(["node", file, "/home/ab", "-", "-"], "/home/a", ["keeper-main.js"])).toBe(false);
    expect(belongsTo(["node", file, "/home/a", "-", "-"], "/home/a", ["worker-main.js"])).toBe(false);
    expect(belongsTo(["vim", file], "/home/a", ["keeper-main.js"])).toBe(false);
    expect(belongsTo([], "/home/a", ["keeper-main.js"])).toBe(false);
    // Where the system does not tell the words apart.
    expect(belongsTo([`node ${file} /home/a - - `], "/home/a", ["keeper-main.js"])).toBe(true);
    expect(belongsTo([`node ${file} /home/ab - - `], "/home/a", ["keeper-main.js"])).toBe(false);
  });

  it("tells a copy of a home from one that was moved or is spelled differently", () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-find-"));
    const at = (name: string) => join(folder, name);
    const words = ["node", "--flag", file, at("a home"), "70000", "70000"];
    try {
      for (const name of ["a home", "copy"]) mkdirSync(at(name));
      symlinkSync(at("a home"), at("link"));
      expect(isOfAnotherHome(words, at("a home"))).toBe(false);
      expect(isOfAnotherHome(words, at("link"))).toBe(false);
      expect(isOfAnotherHome(words, at("copy"))).toBe(true);
      expect(isOfAnotherHome([`${words.join(" ")} `], at("copy"))).toBe(true);
      expect(isOfAnotherHome(["vim", file], at("copy"))).toBe(false);
      renameSync(at("a home"), at("moved"));
      expect(isOfAnotherHome(words, at("moved"))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const STRANGER = 65_534;
const isRoot = process.getuid?.() === 0;

describe("processes with a gateway's command line", () => {
  /** Names of programs that run meanwhile, as somebody. */
  async function meanwhile(program: string, uid: number, look: (found: (number | undefined)[]) => void): Promise<void> {
    const layout = layoutOf(mkdtempSync(join(tmpdir(), "howdah-find-")));
    writeFileSync(layout.gatewayInfo, JSON.stringify({ uid: 70_000 }));
    const sleeping = "setTimeout(() => undefined, 60_000); process.stdout.write('here')";
    const words = ["-e", sleeping, `/x/gateway/process/${program}`, layout.home, "-", "-"];
    const child = spawn(process.execPath, words, { uid, gid: uid, cwd: "/", stdio: ["ignore", "pipe", "ignore"] });
    try {
      await once(child.stdout, "data");
      look([...findKeepers(layout), ...findGatewayProcesses(layout)].map(({ pid }) => (pid === child.pid ? 1 : pid)));
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
      rmSync(layout.home, { recursive: true });
    }
  }

  it("are the gateway's when they are ours", async () => {
    const uid = process.getuid?.() ?? -1;
    await meanwhile("keeper-main.js", uid, (found) => expect(found).toEqual([1, 1]));
    await meanwhile("worker-main.js", uid, (found) => expect(found).toEqual([1]));
  });

  // Only root can make a process of another user.
  it.skipIf(!isRoot)("are a stranger's when only their words are the gateway's", async () => {
    for (const program of ["keeper-main.js", "worker-main.js"]) {
      await meanwhile(program, STRANGER, (found) => expect(found).toEqual([]));
    }
    // Who the workers are, but not their keeper.
    await meanwhile("worker-main.js", 70_000, (found) => expect(found).toEqual([1]));
    await meanwhile("keeper-main.js", 70_000, (found) => expect(found).toEqual([]));
  });
});
