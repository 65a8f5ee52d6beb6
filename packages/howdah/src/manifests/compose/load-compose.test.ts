import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findComposeFile, loadCompose } from "./index.js";
import { diskReader } from "./load-compose.js";

const TEXT = "services: { database: { image: 'postgres:18', x-defang-postgres: true } }\n";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "howdah-compose-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string | Uint8Array = TEXT): string {
  const absolute = join(folder, path);
  mkdirSync(join(absolute, ".."), { recursive: true });
  writeFileSync(absolute, text);
  return absolute;
}

describe("findComposeFile", () => {
  it("knows the four names in the specification's order", () => {
    expect(findComposeFile(folder)).toBeUndefined();
    for (const name of ["docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"]) {
      const path = write(name);
      expect(findComposeFile(folder)).toBe(path);
    }
  });
});

describe("loadCompose", () => {
  it("finds the file here or in a folder above, with .env and the override beside it", () => {
    const file = write(
      "shop/compose.yaml",
      "services: { database: { image: 'postgres:${MAJOR}', x-defang-postgres: } }",
    );
    write("shop/.env", "MAJOR=16\n");
    write("shop/compose.override.yaml", "services: { database: { ports: ['15432:5432'] } }");
    mkdirSync(join(folder, "shop/src/deep"), { recursive: true });
    for (const cwd of ["shop", "shop/src/deep"]) {
      const loaded = loadCompose({ cwd: join(folder, cwd), shell: {} });
      expect(loaded).toMatchObject({ file, project: "shop", stack: { services: [{ major: 16, port: 15_432 }] } });
    }
  });

  it("takes a named file alone, its own folder for .env and paths", () => {
    write(
      "a/other.yaml",
      "services: { database: { image: 'postgres:${MAJOR}', x-defang-postgres: , labels: { a: b } } }",
    );
    write("a/.env", "MAJOR=17\n");
    write(".env", "MAJOR=16\n");
    write("a/compose.override.yaml", "services: { database: { image: 'postgres:15' } }");
    const { stack, diagnostics } = loadCompose({ cwd: folder, file: "a/other.yaml", shell: {}, projectName: "mine" });
    expect(stack).toMatchObject({ project: "mine", services: [{ major: 17 }] });
    expect(diagnostics[0]?.place?.file).toBe("a/other.yaml");
    expect(() => loadCompose({ cwd: folder, file: "b.yaml", shell: {} })).toThrow("file 'b.yaml' does not exist");
  });

  it("takes a folder for the file in it", () => {
    const file = write("a/docker-compose.yml");
    expect(loadCompose({ cwd: folder, file: "a", shell: {} }).file).toBe(file);
  });

  it.each([
    ["binary", Buffer.from([0xff, 0xfe, 0x00])],
    ["with NUL", "services:\0"],
    ["too large", "#".repeat(5 * 1024 * 1024)],
  ])("refuses a file that is %s", (_, content) => {
    write("compose.yaml", content);
    expect(() => loadCompose({ cwd: folder, shell: {} })).toThrow(expect.objectContaining({ code: "FILE_UNREADABLE" }));
  });

  it("refuses a folder in the place of a file", () => {
    mkdirSync(join(folder, "compose.yaml"));
    expect(() => loadCompose({ cwd: folder, shell: {} })).toThrow(expect.objectContaining({ code: "FILE_UNREADABLE" }));
  });
});

describe("diskReader", () => {
  it("tells files, folders, what is absent, too large or no file", () => {
    const script = write("a.sh", "12345");
    chmodSync(script, 0o755);
    write("b.sql", "1");
    mkdirSync(join(folder, "empty"));
    const reader = diskReader(folder);
    expect(reader.read("a.sh", 5)).toMatchObject({ kind: "file", executable: true });
    expect(reader.read(join(folder, "b.sql"), 5)).toMatchObject({ kind: "file", executable: false });
    expect(reader.read("a.sh", 4)).toEqual({ kind: "too-large", size: 5 });
    expect(reader.read("empty", 5)).toEqual({ kind: "folder", names: [] });
    expect(reader.read("nothing", 5)).toEqual({ kind: "absent" });
    expect(reader.read("a.sh/b", 5)).toEqual({ kind: "absent" });
    expect(reader.read("/dev/null", 5)).toMatchObject({ kind: "unreadable" });
  });
});
