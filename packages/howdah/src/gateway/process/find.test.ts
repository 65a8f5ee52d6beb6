import { describe, expect, it } from "vitest";
import { belongsTo } from "./find.js";

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
});
