import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isSupervisor } from "./processes.js";
import { SUPERVISOR_NUDGE, supervisorArguments } from "./supervisor.js";

describe("the loop", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "howdah-loop-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs the loop on a program that ends as the list says, one entry a start; resolves to its exit code and starts. */
  async function loop(endings: readonly string[]): Promise<{ code: number | null; starts: string[] }> {
    const program = join(folder, "server");
    const starts = join(folder, "starts");
    const cases = endings.map((ending, i) => `${i + 1}) ${ending} ;;`).join("\n");
    writeFileSync(program, `echo "$@" >> ${starts}\ncase $(wc -l < ${starts} | tr -d ' ') in\n${cases}\nesac\n`);
    const child = spawn("/bin/sh", supervisorArguments(folder, "/bin/sh", program), { stdio: "ignore" });
    const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
    return { code, starts: readFileSync(starts, "utf8").trimEnd().split("\n") };
  }

  it("starts 'server run' and ends with it when it ends on purpose", async () => {
    expect(await loop(["exit 0"])).toEqual({ code: 0, starts: ["server run"] });
  });

  it("ends when another server runs already", async () => {
    expect(await loop(["exit 5"])).toEqual({ code: 5, starts: ["server run"] });
  });

  it.each([1, 8])("gives up at once when the first start is refused with %d", async (refusal) => {
    expect(await loop([`exit ${refusal}`])).toEqual({ code: refusal, starts: ["server run"] });
  });

  it("does not take a nudge that met the server before it was one for a server that ran", async () => {
    expect(await loop(["kill -USR1 $$", "exit 8"])).toEqual({ code: 8, starts: ["server run", "server run"] });
  });

  it("brings back a server that was killed, and keeps trying when that fails", async () => {
    const { code, starts } = await loop(["kill -9 $$", "exit 8", "exit 0"]);
    expect(code).toBe(0);
    expect(starts).toHaveLength(3);
  });
});

describe("a nudge", () => {
  it("ends the pause between two tries", async () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-loop-"));
    const program = join(folder, "server");
    const starts = join(folder, "starts");
    // Killed five times in a row, the loop would pause for 1 + 3 + 7 + 15 seconds.
    writeFileSync(program, `echo x >> ${starts}\n[ $(wc -l < ${starts}) -gt 5 ] && exit 0\nkill -9 $$\n`);
    const child = spawn("/bin/sh", supervisorArguments(folder, "/bin/sh", program), { stdio: "ignore" });
    const nudging = setInterval(() => child.kill(SUPERVISOR_NUDGE), 20);
    const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
    clearInterval(nudging);
    rmSync(folder, { recursive: true });
    expect(code).toBe(0);
  }, 20_000);
});

describe("isSupervisor", () => {
  const words = ["/bin/sh", ...supervisorArguments("/home/a/h", "/usr/bin/node", "/x/howdah.js")];

  it("knows the loop of a home by its words", () => {
    expect(isSupervisor(words, "/home/a/h")).toBe(true);
    expect(isSupervisor([words.join(" ")], "/home/a/h")).toBe(true);
  });

  it("takes neither another home's nor a stranger for it", () => {
    expect(isSupervisor(words, "/home/a")).toBe(false);
    expect(isSupervisor([words.join(" ")], "/home/a")).toBe(false);
    expect(isSupervisor(["vi", "howdah-supervisor"], "/home/a/h")).toBe(false);
  });
});
