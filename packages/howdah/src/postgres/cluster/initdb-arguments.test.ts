import { describe, expect, it } from "vitest";
import { initdbArguments } from "./initdb-arguments.js";
import { parseInitdbOptions } from "./initdb-options.js";

const args = (major: 14 | 15 | 16 | 17 | 18, ...userArgs: string[]) =>
  initdbArguments({ major, dataDir: "/d", userArgs, os: "linux" });
const ours = [
  "--pgdata=/d",
  "--username=howdah_admin",
  "--auth-local=peer",
  "--auth-host=scram-sha-256",
  "--no-instructions",
];

describe("initdb's arguments", () => {
  it("use the builtin provider from 17 on and libc before", () => {
    const common = [...ours, "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"];
    expect(args(18)).toEqual([...common, "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    expect(args(17)).toEqual(args(18));
    expect(args(16)).toEqual(common);
    expect(args(14)).toEqual(common);
  });

  it("know that macOS has no C.UTF-8", () => {
    const mac = initdbArguments({ major: 16, dataDir: "/d", userArgs: [], os: "darwin" });
    expect(mac).toEqual([...ours, "--data-checksums", "--encoding=UTF8", "--locale=C", "--lc-ctype=en_US.UTF-8"]);
  });

  it("leave the locale to whoever names one", () => {
    expect(args(18, "--locale=de_DE.UTF-8")).toEqual([
      ...ours,
      "--data-checksums",
      "--encoding=UTF8",
      "--locale=de_DE.UTF-8",
    ]);
    expect(args(18, "--locale=de_DE")).toEqual([...ours, "--data-checksums", "--locale=de_DE"]);
    expect(args(18, "--no-locale")).toEqual([...ours, "--data-checksums", "--encoding=UTF8", "--no-locale"]);
    expect(args(18, "--locale-provider=icu", "--icu-locale=de")).toEqual([
      ...ours,
      "--data-checksums",
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      "--locale-provider=icu",
      "--icu-locale=de",
    ]);
  });

  it("let the user's encoding and checksums win", () => {
    expect(args(18, "-E", "LATIN1")).toContain("--encoding=LATIN1");
    expect(args(18, "-E", "LATIN1")).not.toContain("--encoding=UTF8");
    expect(args(18, "--no-data-checksums")).not.toContain("--data-checksums");
    expect(args(18, "--no-data-checksums")).toContain("--no-data-checksums");
    // Before 18 there was no such option, because it was the default.
    expect(args(16, "--no-data-checksums").join()).not.toContain("checksums");
    expect(args(18, "-k").filter((a) => a === "--data-checksums")).toHaveLength(1);
  });
});

describe("POSTGRES_INITDB_ARGS", () => {
  it("are read as getopt_long reads them", () => {
    expect(
      parseInitdbOptions(["-kE", "UTF8", "-Tenglish", "--wal-seg", "64", "--lc-m=C.UTF-8".replace("-m=", "-mo=")]),
    ).toEqual([
      { name: "data-checksums", value: null },
      { name: "encoding", value: "UTF8" },
      { name: "text-search-config", value: "english" },
      { name: "wal-segsize", value: "64" },
      { name: "lc-monetary", value: "C.UTF-8" },
    ]);
    expect(parseInitdbOptions(["-c", "work_mem=8MB", "--set=jit=off"])).toEqual([
      { name: "set", value: "work_mem=8MB" },
      { name: "set", value: "jit=off" },
    ]);
  });

  it("may say what we do anyway, and cannot switch durability off", () => {
    expect(
      parseInitdbOptions([
        "--auth-host=scram-sha-256",
        "--auth-local=scram-sha-256",
        "-A",
        "scram-sha-256",
        "-N",
        "--no-sync",
      ]),
    ).toEqual([]);
  });

  it.each([
    ["-D", "/elsewhere"],
    ["--pgdata=/elsewhere"],
    ["--pgd=/elsewhere"],
    ["/elsewhere"],
    ["--", "/elsewhere"],
    ["-kD/elsewhere"],
    ["-U", "postgres"],
    ["--username=postgres"],
    ["--pwfile=/secret"],
    ["--pwprompt"],
    ["-W"],
    ["-A", "trust"],
    ["--auth=md5"],
    ["--auth-host=trust"],
    ["--auth-local=trust"],
    ["-X", "/wal"],
    ["--waldir=/wal"],
    ["--version"],
    ["-?"],
    ["--lc-=C"],
    ["--nonesuch"],
    ["-z"],
    ["--encoding"],
    ["--data-checksums=on"],
    ["-"],
    [""],
  ])("are refused: %s", (...words) => {
    expect(() => args(18, ...words)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  it("do not repeat values in the refusal", () => {
    expect(() => args(18, "--pwfile=/run/secret")).toThrow(
      "the initdb argument '--pwfile' is not possible: the bootstrap role has no password; set POSTGRES_PASSWORD instead",
    );
  });
});
