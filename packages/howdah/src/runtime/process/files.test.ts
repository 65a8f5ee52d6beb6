import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freeBytes, requireFreeSpace } from "./disk.js";
import { HeldFolder } from "./held-folder.js";
import { findFreePort, isPortFree } from "./ports.js";
import { chownTree, removeTree } from "./tree.js";

const isRoot = process.getuid?.() === 0;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function held(path: string, owner: number | null = null): HeldFolder {
  const found = HeldFolder.open(path, owner);
  if (found === null) throw new Error(`no folder ${path}`);
  return found;
}

describe("a held folder", () => {
  it("replaces files as a whole, closed to others", () => {
    using f = held(folder);
    f.write("a", "one");
    f.write("a", "two");
    expect(f.read("a")).toBe("two");
    expect(f.read("b")).toBeNull();
    expect(f.names()).toEqual(["a"]);
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o600);
    f.remove("a");
    f.remove("a");
    expect(f.names()).toEqual([]);
  });

  it("follows no link, neither to itself nor in itself", () => {
    const target = join(folder, "target");
    mkdirSync(target);
    writeFileSync(join(target, "secret"), "secret");
    symlinkSync(target, join(folder, "link"));
    symlinkSync(join(target, "secret"), join(folder, "file"));
    expect(() => HeldFolder.open(join(folder, "link"), null)).toThrow("is not a folder");
    using f = held(folder);
    expect(() => f.read("file")).toThrow("not a plain file");
    f.write("file", "mine");
    expect(readFileSync(join(target, "secret"), "utf8")).toBe("secret");
    expect(lstatSync(join(folder, "file")).isFile()).toBe(true);
  });

  it("stays with the folder that was opened, whatever takes its name", ({ skip }) => {
    skip(process.platform !== "linux", "needs /proc");
    const path = join(folder, "data");
    mkdirSync(path);
    using f = held(path);
    rmSync(path, { recursive: true });
    symlinkSync(folder, path);
    expect(() => f.write("planted", "x")).toThrow();
    expect(existsSync(join(folder, "planted"))).toBe(false);
  });

  it("reads and writes for the owner, and trusts nobody else's", ({ skip }) => {
    skip(!isRoot, "only root can give files away");
    chownSync(folder, 70_123, 70_123);
    expect(() => HeldFolder.open(folder, 70_124)).toThrow("belongs to another user");
    using f = held(folder, 70_123);
    f.write("mine", "x");
    expect(statSync(join(folder, "mine"))).toMatchObject({ uid: 70_123, gid: 70_123 });
    writeFileSync(join(folder, "other"), "y");
    chownSync(join(folder, "other"), 70_124, 70_124);
    expect(() => f.read("other")).toThrow("not a plain file of its folder's owner");
  });

  it("is null where there is none", () => {
    expect(HeldFolder.open(join(folder, "missing"), null)).toBeNull();
  });
});

describe("trees", () => {
  it("removes links, not what they point at, and does not mind a tree that is gone", async () => {
    const kept = join(folder, "kept");
    mkdirSync(join(folder, "tree", "deep"), { recursive: true });
    writeFileSync(kept, "");
    symlinkSync(kept, join(folder, "tree", "deep", "link"));
    await removeTree(join(folder, "tree"));
    await removeTree(join(folder, "tree"));
    expect(existsSync(join(folder, "tree"))).toBe(false);
    expect(existsSync(kept)).toBe(true);
  });

  it("is not led out of a tree by a link that takes a folder's place while it is removed", async ({ skip }) => {
    skip(process.platform !== "linux", "needs /proc");
    const victim = join(folder, "victim");
    const tree = join(folder, "tree");
    mkdirSync(victim);
    mkdirSync(join(tree, "bait"), { recursive: true });
    const names = Array.from({ length: 4_000 }, (_, i) => `file-${i}`);
    for (const name of names) {
      writeFileSync(join(victim, name), "");
      writeFileSync(join(tree, "bait", name), "");
    }
    const removal = removeTree(tree);
    // Its owner waits until the removal is in the folder, then exchanges it.
    while (readdirSync(join(tree, "bait")).length === names.length) await nextTurn();
    renameSync(join(tree, "bait"), join(tree, "aside"));
    symlinkSync(victim, join(tree, "bait"));
    await removal;
    expect(existsSync(tree)).toBe(false);
    expect(readdirSync(victim).length).toBe(names.length);
  });

  it("removes a tree of any depth", async ({ skip }) => {
    skip(process.platform !== "linux", "needs /proc");
    const start = process.cwd();
    mkdirSync(join(folder, "deep"));
    try {
      process.chdir(join(folder, "deep"));
      for (let depth = 0; depth < 1_500; depth++) {
        mkdirSync("below");
        process.chdir("below");
      }
    } finally {
      process.chdir(start);
    }
    await removeTree(join(folder, "deep"));
    expect(readdirSync(folder)).toEqual([]);
  });

  it("gives away all that is in a tree, and nothing that a link in it points at", async ({ skip }) => {
    skip(!isRoot, "only root can give files away");
    const tree = join(folder, "tree");
    const outside = join(folder, "outside");
    mkdirSync(join(tree, "deep"), { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(tree, "deep", "file"), "");
    writeFileSync(join(outside, "file"), "");
    symlinkSync(outside, join(tree, "link"));
    await chownTree(tree, 70_123, 70_123);
    for (const path of [tree, join(tree, "deep"), join(tree, "deep", "file"), join(tree, "link")]) {
      expect(lstatSync(path)).toMatchObject({ uid: 70_123, gid: 70_123 });
    }
    expect(statSync(outside).uid).toBe(0);
    expect(statSync(join(outside, "file")).uid).toBe(0);
    symlinkSync(outside, join(folder, "root-link"));
    await expect(chownTree(join(folder, "root-link"), 70_123, 70_123)).rejects.toThrow();
    expect(statSync(outside).uid).toBe(0);
  });
});

describe("disk space", () => {
  it("is refused when it is not there", async () => {
    expect(await freeBytes(folder)).toBeGreaterThan(0);
    await requireFreeSpace(folder, 1);
    await expect(requireFreeSpace(folder, 2 ** 60)).rejects.toMatchObject({ code: "DISK_FULL" });
  });
});

describe("ports", () => {
  it("passes over ports that are taken, by a row or by a listener", async () => {
    const free = await findFreePort(new Set(), 21_000);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(free, "127.0.0.1", resolve));
    try {
      expect(await isPortFree(free)).toBe(false);
      const next = await findFreePort(new Set(), free);
      expect(next).toBeGreaterThan(free);
      expect(await findFreePort(new Set([next]), free)).toBeGreaterThan(next);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect(await isPortFree(free)).toBe(true);
  });

  it("says so when no port is left below those that the system hands out", async () => {
    await expect(findFreePort(new Set([32_767]), 32_767)).rejects.toMatchObject({ code: "NO_PORT_FREE" });
  });
});
