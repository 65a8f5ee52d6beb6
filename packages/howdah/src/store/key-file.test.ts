import {
  chmodSync,
  chownSync,
  linkSync,
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
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createKeyFile, readKeyFile } from "./key-file.js";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-key-"));
  path = join(folder, "encryption_key");
});
afterEach(() => rmSync(folder, { recursive: true }));

const refused = (code: string, message = "") =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

describe("key file", () => {
  test("is made private, whole, and read again", () => {
    const key = createKeyFile(path);
    expect(key).toHaveLength(32);
    expect(readKeyFile(path)).toEqual(key);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).nlink).toBe(1);
    expect(readFileSync(path, "utf8")).toMatch(/^howdah-key-1:[A-Za-z0-9_-]{43}\n$/);
    expect(readdirSync(folder)).toEqual(["encryption_key"]);
  });

  test("is private whatever the umask", () => {
    const before = process.umask(0);
    try {
      createKeyFile(path);
    } finally {
      process.umask(before);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("an existing key is kept", () => {
    const key = createKeyFile(path);
    expect(createKeyFile(path)).toEqual(key);
  });

  test("the draft of a run that crashed is swept away", () => {
    writeFileSync(join(folder, "encryption_key.0123456789abcdef.tmp"), "howdah-key-1:short", { mode: 0o600 });
    createKeyFile(path);
    expect(readdirSync(folder)).toEqual(["encryption_key"]);
  });

  test("none is there", () => expect(readKeyFile(path)).toBeUndefined());

  test.each(["0640", "0604", "0644", "0620", "0601", "0660", "0777"])("refused with mode %s", (mode) => {
    createKeyFile(path);
    chmodSync(path, mode);
    expect(() => readKeyFile(path)).toThrow(refused("KEY_EXPOSED", `has mode ${mode}`));
    chmodSync(path, 0o400);
    expect(readKeyFile(path)).toHaveLength(32);
  });

  test("refused when it is a symbolic link, even to a good one", () => {
    createKeyFile(path);
    renameSync(path, `${path}.moved`);
    symlinkSync(`${path}.moved`, path);
    expect(() => readKeyFile(path)).toThrow(refused("KEY_EXPOSED", "is a symbolic link"));
  });

  test("refused when it belongs to somebody else", ({ skip }) => {
    skip(process.getuid?.() !== 0, "only root can give a file away");
    createKeyFile(path);
    chownSync(path, 70_000, 70_000);
    expect(() => readKeyFile(path)).toThrow(refused("KEY_EXPOSED", "belongs to user 70000"));
  });

  test.each([
    ["empty", ""],
    ["short", "howdah-key-1:AAAA\n"],
    ["of another format", `howdah-key-2:${"A".repeat(43)}\n`],
    ["long", `howdah-key-1:${"A".repeat(64)}\n`],
  ])("refused when it is %s", (_name, text) => {
    writeFileSync(path, text, { mode: 0o600 });
    expect(() => readKeyFile(path)).toThrow(refused("KEY_WRONG", "does not hold a key"));
  });

  test("refused when it is a folder", () => {
    mkdirSync(path, { mode: 0o700 });
    expect(() => readKeyFile(path)).toThrow(refused("KEY_WRONG", "is not a regular file"));
  });

  test("a folder that is not there is told", () => {
    expect(() => createKeyFile(join(folder, "no", "key"))).toThrow(refused("HOME_UNUSABLE", "ENOENT"));
  });

  test("a key linked meanwhile by another process is the one that counts", () => {
    const rival = join(folder, "rival");
    const key = createKeyFile(rival);
    linkSync(rival, path);
    expect(createKeyFile(path)).toEqual(key);
  });
});
