import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layoutOf } from "../../runtime/index.js";
import type { SettingInfo } from "../distribution/index.js";
import {
  changeNeeds,
  checkSettings,
  diffSettings,
  formatChange,
  isOwned,
  ownedSettings,
  parseConf,
  renderConf,
  renderIdent,
  sizedSettings,
  toArguments,
} from "./index.js";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

describe("parseConf", () => {
  it("is done with any line in no time, however it was made", { timeout: 10_000 }, () => {
    const blanks = " ".repeat(1_000_000);
    const quotes = "''".repeat(500_000);
    for (const line of [`a${blanks}'`, `a =${blanks}'`, `a${blanks}=`, `a = x${blanks}!`, `a = '${quotes}`, blanks]) {
      expect(parseConf(line)).toEqual({});
    }
  });
});

describe("sizedSettings", () => {
  it("fits the settings to the memory", () => {
    const sizes = [64 * MIB, 256 * MIB, 512 * MIB, 2 * GIB, 10 * GIB, 64 * GIB, 512 * GIB];
    const table = sizes.map((bytes) => {
      const s = sizedSettings(bytes, 18);
      const { shared_buffers, effective_cache_size, work_mem, maintenance_work_mem, min_wal_size, max_wal_size } = s;
      return [shared_buffers, effective_cache_size, work_mem, maintenance_work_mem, min_wal_size, max_wal_size].join(
        " ",
      );
    });
    expect(table).toEqual([
      "16MB 48MB 4MB 16MB 64MB 256MB",
      "64MB 192MB 4MB 16MB 64MB 256MB",
      "128MB 384MB 4MB 32MB 64MB 512MB",
      "512MB 1536MB 16MB 128MB 256MB 2GB",
      "2560MB 7680MB 80MB 640MB 1280MB 10GB",
      "16GB 48GB 128MB 2GB 2GB 16GB",
      "16GB 384GB 128MB 2GB 2GB 16GB",
    ]);
  });

  it("names only settings that the major has", () => {
    expect(sizedSettings(GIB, 18)).toMatchObject({ io_method: "sync" });
    expect(sizedSettings(GIB, 17)).not.toHaveProperty("io_method");
  });

  it("never gives more than the memory to what each server takes for itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: 64 * MIB, max: 1024 * GIB }), (bytes) => {
        const buffers = /^(\d+)(MB|GB)$/.exec(sizedSettings(bytes, 17)["shared_buffers"] ?? "");
        expect(Number(buffers?.[1]) * (buffers?.[2] === "GB" ? GIB : MIB)).toBeLessThanOrEqual(bytes / 4);
      }),
    );
  });
});

describe("ownedSettings", () => {
  const spec = {
    title: "shop/db",
    paths: layoutOf("/var/lib/howdah").service(3),
    distribution: { major: 18 },
  };
  const at = (major: 14 | 18, home = "/h") => ({ ...spec, paths: layoutOf(home).service(3), distribution: { major } });

  it("keeps the server to itself, its own files and its socket", () => {
    expect(ownedSettings(at(18))).toMatchObject({
      listen_addresses: "",
      port: "5432",
      ssl: "off",
      unix_socket_directories: "/h/sockets/3",
      hba_file: "/h/services/3/pg_hba.conf",
      log_directory: "/h/services/3/log",
      log_destination: "jsonlog",
      wal_level: "replica",
      cluster_name: "shop/db",
    });
    expect(ownedSettings(at(14))).toMatchObject({ log_destination: "stderr" });
  });

  it("honours what may be raised, and nothing below what Howdah needs", () => {
    const asked = { wal_level: "Logical", max_wal_senders: "40", max_replication_slots: "2" };
    expect(ownedSettings(at(18), asked)).toMatchObject({
      wal_level: "logical",
      max_wal_senders: "40",
      max_replication_slots: "10",
    });
    expect(ownedSettings(at(18), { wal_level: "minimal", max_wal_senders: "x" })).toMatchObject({
      wal_level: "replica",
      max_wal_senders: "10",
    });
  });

  it("quotes a folder that a list of folders could not hold, and keeps titles to what PostgreSQL shows", () => {
    expect(ownedSettings(at(18, '/a, "b"'))["unix_socket_directories"]).toBe('"/a, ""b""/sockets/3"');
    expect(ownedSettings({ ...at(18), title: `ä\n${"x".repeat(80)}` })["cluster_name"]).toBe(`??${"x".repeat(61)}`);
  });

  it("owns every name that it gives, but those that users may raise", () => {
    const raisable = ["wal_level", "max_wal_senders", "max_replication_slots"];
    for (const name of Object.keys(ownedSettings(at(18)))) expect(isOwned(name)).toBe(!raisable.includes(name));
    expect(isOwned("Port")).toBe(true);
    expect(isOwned("work_mem")).toBe(false);
  });

  it("makes arguments of it", () => {
    expect(toArguments({ a: "1", "b.c": "x y" })).toEqual(["-c", "a=1", "-c", "b.c=x y"]);
  });
});

describe("postgresql.conf", () => {
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/).filter((n) => !n.startsWith("include"));
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("'", "\\", "\n", "\r", "#", " ", "=", "n", "0", "7") }),
  );

  it("reads back exactly what was written", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          name,
          value.filter((v) => !v.includes("\0")),
          { noNullPrototype: true },
        ),
        (settings) => {
          const text = renderConf(settings);
          expect(text.split("\n").length).toBe(Object.keys(settings).length + 1);
          expect(parseConf(text)).toEqual(settings);
        },
      ),
    );
  });

  it("reads what PostgreSQL and people write", () => {
    const text = [
      "# comment",
      "Work_Mem = 64MB # why",
      "a 'it''s' ",
      "b='x\\'y\\\\z\\101'",
      "\tfoo.bar = 'baz'",
      "include 'other.conf'",
      "c = 1",
      "c = 2",
      "broken = ",
      "also 'broken",
      "d = ''",
    ].join("\n");
    expect(parseConf(text)).toEqual({ work_mem: "64MB", a: "it's", b: "x'y\\zA", "foo.bar": "baz", c: "2", d: "" });
  });

  it("writes nothing that a line of the file cannot be", () => {
    for (const bad of ["include", "Include_Dir", "a b", "a=b", "a\nb", "1a", "", "a.b.c", "a'"]) {
      expect(() => renderConf({ [bad]: "x" })).toThrow("is not the name of a setting");
    }
    expect(() => renderConf({ a: "x\0y" })).toThrow("NUL");
  });
});

it("quotes a system user's name in pg_ident.conf", () => {
  expect(renderIdent('o"dd user')).toContain('\nhowdah "o""dd user" howdah_admin\n');
});

it("tells differences by name", () => {
  const changes = diffSettings({ a: "1", b: "2", c: "3" }, { a: "1", b: "4", d: "5" });
  expect(changes.map(formatChange)).toEqual(["b = '4'", "c (removed)", "d = '5'"]);
});

const describeBy = (list: [string, Omit<SettingInfo, "name">][]) =>
  new Map(list.map(([name, info]) => [name, { name, ...info }]));
const range = (min: number, max: number) => ({ min, max, enumValues: null });
const plain = { min: null, max: null, enumValues: null };
const DESCRIBE = describeBy([
  ["work_mem", { context: "user", type: "integer", ...range(64, 2147483647) }],
  ["max_connections", { context: "postmaster", type: "integer", ...range(1, 262143) }],
  ["server_version", { context: "internal", type: "string", ...plain }],
  ["jit", { context: "user", type: "bool", ...plain }],
  ["bytea_output", { context: "user", type: "enum", ...plain, enumValues: ["escape", "hex"] }],
  ["wal_level", { context: "postmaster", type: "enum", ...plain, enumValues: ["minimal", "replica", "logical"] }],
]);

describe("checkSettings", () => {
  const fault = (name: string, value: string, describe = DESCRIBE) => {
    try {
      checkSettings({ [name]: value }, describe);
      return null;
    } catch (error) {
      return error;
    }
  };

  it.each([
    ["work_mem", "64XB", "work_mem: '64XB' has the unit 'XB', which is none of B, kB, MB, GB, TB"],
    ["work_mem", "1kB", "work_mem: '1kB' is outside the range from 64 to 2147483647 (in kB)"],
    ["Work_Mem", "much", "Work_Mem: 'much' is not a whole number"],
    ["max_connections", "5MB", "max_connections: '5MB' has the unit 'MB', but takes none"],
    ["max_connections", "0", "max_connections: '0' is outside the range from 1 to 262143"],
    ["jit", "perhaps", "jit: 'perhaps' is not a boolean: write on or off"],
    ["bytea_output", "octal", "bytea_output: 'octal' is not one of escape, hex"],
    ["server_version", "1", "setting 'server_version' cannot be changed"],
    ["workmem", "1", "PostgreSQL has no setting 'workmem'"],
    ["include", "/etc/passwd", "PostgreSQL has no setting 'include'"],
  ])("refuses %s = %s", (name, value, message) => {
    expect(fault(name, value)).toMatchObject({ code: "SETTING_INVALID", message });
  });

  it("refuses what is Howdah's own", () => {
    expect(fault("Port", "5433")).toMatchObject({ code: "SETTING_OWNED", message: "setting 'Port' is Howdah's own" });
    expect(fault("wal_level", "minimal")).toMatchObject({ code: "SETTING_OWNED" });
    expect(fault("wal_level", "logical")).toBeNull();
    expect(fault("listen_addresses", "*", new Map())).toMatchObject({ code: "SETTING_OWNED" });
  });

  it("says which name was probably meant", () => {
    expect(fault("workmem", "1")).toMatchObject({ hint: "Did you mean 'work_mem'?" });
  });

  it("takes what PostgreSQL takes", () => {
    const good = { work_mem: "64MB", max_connections: " 0x20 ", jit: "T", "my.setting": "x", zero_damaged_pages: "on" };
    checkSettings(good, DESCRIBE);
  });

  it("without binaries leaves the rest to them", () => {
    checkSettings({ anything: "goes" }, null);
  });
});

it("tells a reload from a restart", () => {
  expect(changeNeeds(["work_mem", "my.setting"], DESCRIBE)).toBe("reload");
  expect(changeNeeds(["work_mem", "Max_Connections"], DESCRIBE)).toBe("restart");
  expect(changeNeeds(["unheard_of"], DESCRIBE)).toBe("restart");
  expect(changeNeeds([], DESCRIBE)).toBe("reload");
});
