import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Installation } from "../support/installation.js";

/** A program of somebody else that listens on a port of the kernel's choice. */
async function takePort(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { server, port: address.port };
}

describe("bad input", () => {
  let howdah: Installation;
  beforeAll(() => {
    howdah = new Installation();
  });
  afterAll(() => howdah[Symbol.asyncDispose]());

  const compose = (name: string, text: string) => {
    const folder = join(howdah.folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "compose.yaml"), text);
    return { cwd: folder };
  };
  const nothingMade = async () => {
    expect(await howdah.json(["services", "list"])).toEqual([]);
    expect(readdirSync(join(howdah.home, "services"))).toEqual([]);
    expect(howdah.processes().filter((p) => p.command.includes("bin/postgres"))).toEqual([]);
  };

  it("an unknown file", async () => {
    const { code, stderr } = await howdah.run(["up", "-f", "nowhere.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toContain("nowhere.yaml");
  });

  it("errors in the file, with file, line and column", async () => {
    const cases: [name: string, text: string, where: string][] = [
      ["yaml", "services:\n  a: [\n", "compose.yaml:"],
      ["type", "services:\n  db:\n    image: postgres:18\n    x-defang-postgres: [1]\n", "compose.yaml:4:24"],
      [
        "key",
        "services:\n  db:\n    image: postgres:18\n    x-defang-postgres:\n      allow-downtimes: true\n",
        "compose.yaml:5:7",
      ],
      ["twice", "services:\n  db:\n    image: postgres:18\n  db:\n    image: postgres:17\n", "compose.yaml:4:3"],
      [
        "major",
        "services:\n  db:\n    image: postgres:99\n    x-defang-postgres: true\n    environment: {POSTGRES_PASSWORD: x}\n",
        "compose.yaml:3:",
      ],
      [
        "long",
        `services:\n  ${"d".repeat(64)}:\n    image: postgres:18\n    x-defang-postgres: true\n`,
        "compose.yaml:2:3",
      ],
    ];
    for (const [name, text, where] of cases) {
      const { code, stderr } = await howdah.run(["up"], compose(name, text));
      expect({ name, code }).toEqual({ name, code: 2 });
      expect(stderr).toContain(where);
    }
    await nothingMade();
  });

  it("a port that is taken", async () => {
    const { server, port } = await takePort();
    const { code, stderr } = await howdah.run([
      "services",
      "create",
      "-t",
      "postgres",
      "-n",
      "db",
      "-s",
      `port=${port}`,
      "-y",
    ]);
    server.close();
    expect(code).toBe(5);
    expect(stderr).toContain(`port ${port} is in use by another program`);
    await nothingMade();
  });

  it("what only the server finds out about a file is told with its place too", async () => {
    const { server, port } = await takePort();
    const managed = (rest: string) =>
      `services:\n  db:\n    image: postgres:18\n    x-defang-postgres: true\n    environment: {POSTGRES_PASSWORD: x}\n${rest}`;
    const taken = await howdah.run(["up"], compose("published", managed(`    ports: ["${port}:5432"]\n`)));
    server.close();
    expect(taken.code).toBe(5);
    expect(taken.stderr).toContain(`compose.yaml:6:13: error: port ${port} is in use by another program`);
    const setting = await howdah.run(["plan"], compose("setting", managed("    command: postgres -c work_mem=64XB\n")));
    expect(setting.code).toBe(2);
    expect(setting.stderr).toContain("compose.yaml:6:14: error: work_mem: '64XB'");
    await nothingMade();
  });

  it("majors that do not exist, names that cannot be, parameters that nobody knows, settings out of range", async () => {
    const create = (...rest: string[]) =>
      howdah.run(["services", "create", "-t", "postgres", "-n", "db", "-y", ...rest]);
    for (const [arg, exit] of [
      ["version=13", 2],
      ["version=99", 2],
      ["colour=blue", 2],
      ["set.work_mem=64XB", 2],
      ["set.no_such_setting=1", 2],
      ["set.listen_addresses=0.0.0.0", 2],
      ["username=howdah_admin", 2],
      ["port=99999", 2],
      ["initdb_args=--auth=trust", 2],
    ] as const) {
      const result = await create("-s", arg);
      expect({ arg, code: result.code, hint: result.stderr.length > 20 }).toEqual({ arg, code: exit, hint: true });
    }
    expect((await howdah.run(["services", "create", "-t", "postgres", "-n", "Not A Name", "-y"])).code).toBe(2);
    expect((await howdah.run(["services", "create", "-t", "redis", "-n", "db", "-y"])).code).toBe(2);
    expect((await howdah.run(["services", "show", "nobody"])).code).toBe(4);
    await nothingMade();
  });

  it("gives one JSON document with the error under --json", async () => {
    const { code, stdout } = await howdah.run(["services", "show", "nobody", "--json"]);
    expect(code).toBe(4);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: "SERVICE_NOT_FOUND",
      hint: expect.stringContaining("services list"),
    });
  });

  it("settings that only the server itself refuses roll the new service back", async () => {
    const { code, stderr } = await howdah.run([
      "services",
      "create",
      "-t",
      "postgres",
      "-n",
      "db",
      "-s",
      "set.shared_preload_libraries=nonexistent",
      "-y",
    ]);
    expect(code).toBe(9);
    expect(stderr).toContain("nonexistent");
    await nothingMade();
  });

  it("a broken init script rolls the new service back", async () => {
    const at = compose(
      "scripts",
      "services:\n  db:\n    image: postgres:18\n    x-defang-postgres: true\n    environment: {POSTGRES_PASSWORD: pw}\n    volumes: ['./init:/docker-entrypoint-initdb.d']\n",
    );
    mkdirSync(join(at.cwd, "init"));
    writeFileSync(join(at.cwd, "init/1-good.sql"), "create table good ();\n");
    writeFileSync(join(at.cwd, "init/2-bad.sql"), "\nselect broken from nowhere;\n");
    const { code, stderr } = await howdah.run(["up"], at);
    expect(code).toBe(9);
    expect(stderr).toContain("2-bad.sql");
    await nothingMade();
    writeFileSync(join(at.cwd, "init/2-bad.sql"), "create database also_here;\n");
    await howdah.ok(["up"], at);
    await howdah.ok(["down", "--volumes", "-y"], at);
  });
});

describe("a full disk", () => {
  const isRoot = process.getuid?.() === 0;
  it.skipIf(!isRoot)("is looked at first, and nothing is half-made (root only: mounts a small tmpfs)", async () => {
    await using howdah = new Installation();
    mkdirSync(howdah.home, { mode: 0o755 });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=100m,mode=0755", "tmpfs", howdah.home]);
    try {
      const { code, stderr } = await howdah.run(["services", "create", "-t", "postgres", "-n", "db", "-y"]);
      expect(code).toBe(8);
      expect(stderr).toContain("Free some space");
      expect(existsSync(join(howdah.home, "services")) ? readdirSync(join(howdah.home, "services")) : []).toEqual([]);
      expect(howdah.processes().filter((p) => p.command.includes("bin/postgres"))).toEqual([]);
      await howdah.run(["server", "stop", "--all"]);
    } finally {
      execFileSync("umount", ["-l", howdah.home]);
    }
  });
});
