import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareHome, prepareServiceFolders } from "./home.js";
import { layoutOf } from "./layout.js";

const isRoot = process.getuid?.() === 0;
let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "howdah-home-")));
  chmodSync(folder, 0o711);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o7777;

describe("prepareHome", () => {
  it("makes all folders, open to others only where services have to pass, and may be called again", async () => {
    const layout = layoutOf(join(folder, "a", "home"));
    await prepareHome(layout, { isRoot });
    await prepareHome(layout, { isRoot });
    const passage = isRoot ? 0o711 : 0o700;
    expect(modeOf(layout.home)).toBe(passage);
    expect(modeOf(layout.services)).toBe(passage);
    expect(modeOf(layout.sockets)).toBe(passage);
    expect(modeOf(layout.engines)).toBe(isRoot ? 0o755 : 0o700);
    expect(modeOf(layout.trash)).toBe(0o700);
    expect(modeOf(layout.pool)).toBe(isRoot ? 0o710 : 0o700);
  });

  it("lets services pass under any umask", async ({ skip }) => {
    skip(!isRoot, "only root needs passage");
    const layout = layoutOf(join(folder, "above", "home"));
    const before = process.umask(0o077);
    try {
      await prepareHome(layout, { isRoot });
    } finally {
      process.umask(before);
    }
    for (const path of [dirname(layout.home), layout.home, layout.services, layout.sockets, layout.engines]) {
      expect(modeOf(path) & 0o001).toBe(0o001);
    }
  });

  it("opens an empty home that was made closed, but no folder of other things", async ({ skip }) => {
    skip(!isRoot, "only root needs passage");
    const home = join(folder, "home");
    mkdirSync(home, { mode: 0o700 });
    await prepareHome(layoutOf(home), { isRoot });
    expect(modeOf(home)).toBe(0o711);
    const other = join(folder, "other");
    mkdirSync(other, { mode: 0o700 });
    writeFileSync(join(other, "diary"), "");
    await expect(prepareHome(layoutOf(other), { isRoot })).rejects.toMatchObject({ code: "HOME_UNUSABLE" });
    expect(modeOf(other)).toBe(0o700);
  });

  it("names the folder above that keeps the services' users out", async ({ skip }) => {
    skip(!isRoot, "only root needs passage");
    const closed = join(folder, "private");
    mkdirSync(closed, { mode: 0o700 });
    await expect(prepareHome(layoutOf(join(closed, "sub", "home")), { isRoot })).rejects.toMatchObject({
      code: "HOME_UNUSABLE",
      message: expect.stringContaining(`'${closed}'`),
      hint: expect.stringContaining(`chmod o+x ${closed}`),
    });
    // The same behind a link that hides it.
    symlinkSync(closed, join(folder, "link"));
    mkdirSync(join(closed, "home"), { mode: 0o711 });
    await expect(prepareHome(layoutOf(join(folder, "link", "home")), { isRoot })).rejects.toMatchObject({
      message: expect.stringContaining(`'${closed}'`),
    });
  });

  it("refuses a home into which others may write", async () => {
    const home = join(folder, "home");
    mkdirSync(home);
    chmodSync(home, 0o777);
    await expect(prepareHome(layoutOf(home), { isRoot })).rejects.toMatchObject({
      code: "HOME_UNUSABLE",
      hint: expect.stringContaining("chmod go-w"),
    });
  });

  it("refuses a home or a short socket folder that somebody else planted", async ({ skip }) => {
    skip(!isRoot, "only root can make somebody else's folder");
    const planted = join(folder, "planted");
    mkdirSync(planted, { mode: 0o711 });
    chownSync(planted, 70_123, 70_123);
    await expect(prepareHome(layoutOf(planted), { isRoot })).rejects.toThrow("belongs to user 70123");
    mkdirSync(join(folder, "real"), { mode: 0o711 });
    symlinkSync(join(folder, "real"), join(folder, "link"));
    rmSync(planted, { recursive: true });
    symlinkSync(join(folder, "real"), planted);
    const { lchownSync } = await import("node:fs");
    lchownSync(planted, 70_123, 70_123);
    await expect(prepareHome(layoutOf(planted), { isRoot })).rejects.toThrow("belongs to user 70123");
    await prepareHome(layoutOf(join(folder, "link")), { isRoot });

    const deep = layoutOf(join(folder, "d".repeat(90)));
    expect(dirname(deep.sockets)).not.toBe(deep.home);
    mkdirSync(deep.sockets, { mode: 0o711 });
    try {
      chownSync(deep.sockets, 70_123, 70_123);
      await expect(prepareHome(deep, { isRoot })).rejects.toThrow("belongs to user 70123");
    } finally {
      rmSync(deep.sockets, { recursive: true });
    }
  });

  it("refuses a file, a dangling link, and a place where nothing can be made", async () => {
    writeFileSync(join(folder, "file"), "");
    symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
    for (const name of ["file", "dangling", "file/home"]) {
      await expect(prepareHome(layoutOf(join(folder, name)), { isRoot })).rejects.toMatchObject({
        code: "HOME_UNUSABLE",
      });
    }
  });
});

describe("prepareServiceFolders", () => {
  it("makes folders that only the service's user can enter, and puts them right again", async () => {
    const layout = layoutOf(join(folder, "home"));
    await prepareHome(layout, { isRoot });
    const paths = layout.service(7);
    const options = { uid: isRoot ? 70_123 : null, socketGid: isRoot ? 70_124 : null };
    await prepareServiceFolders(paths, options);
    chmodSync(paths.root, 0o755);
    if (isRoot) chownSync(paths.log, 0, 0);
    await prepareServiceFolders(paths, options);
    if (!isRoot) chmodSync(paths.root, 0o700);
    for (const path of [paths.root, paths.log, paths.lastGood]) {
      expect(modeOf(path)).toBe(0o700);
      if (isRoot) expect(statSync(path)).toMatchObject({ uid: 70_123, gid: 70_123 });
    }
    expect(modeOf(paths.socket)).toBe(isRoot ? 0o2750 : 0o700);
    if (isRoot) expect(statSync(paths.socket)).toMatchObject({ uid: 70_123, gid: 70_124 });
  });

  it("does not give away what a planted link points at", async ({ skip }) => {
    skip(!isRoot, "only root gives folders away");
    const layout = layoutOf(join(folder, "home"));
    await prepareHome(layout, { isRoot });
    const paths = layout.service(7);
    const target = join(folder, "target");
    mkdirSync(target);
    mkdirSync(paths.root, { mode: 0o700 });
    symlinkSync(target, paths.log);
    await expect(prepareServiceFolders(paths, { uid: 70_123, socketGid: null })).rejects.toMatchObject({
      code: "HOME_UNUSABLE",
    });
    expect(lstatSync(target).uid).toBe(0);
  });
});
