import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { belongsTo, isOfAnotherHome } from "./find.js";

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
