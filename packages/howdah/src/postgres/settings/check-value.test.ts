import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestHome } from "../../../test/support/server.js";
import { isHowdahError } from "../../kernel/errors.js";
import { describeSettings, type SettingInfo } from "../distribution/index.js";
import { checkSettings } from "./index.js";

const run = promisify(execFile);

/** Values of every kind that people write, right and wrong. */
const CASES: [string, string][] = [
  ...[
    "64MB",
    "64 MB",
    "64mb",
    "64XB",
    "1.5GB",
    "0x100",
    "010",
    "-1",
    "1e3",
    "",
    " 65 ",
    "3TB",
    "99999999999",
    "64",
    "63",
    "1min",
  ].map((v): [string, string] => ["work_mem", v]),
  ...["128kB", "16", "15", "1GB", "1.5"].map((v): [string, string] => ["shared_buffers", v]),
  ...["10s", "1d", "90min", "500us", "5", "-1", "25d", "1h 2min"].map((v): [string, string] => [
    "statement_timeout",
    v,
  ]),
  ...["30", "30s", "1h", "86401", "29"].map((v): [string, string] => ["checkpoint_timeout", v]),
  ...["100", "0", "1.4", "262144", "5kB"].map((v): [string, string] => ["max_connections", v]),
  ...["on", "ON", "tr", "o", "of", "1", "2", "", "yes!", "No"].map((v): [string, string] => ["jit", v]),
  ...["replica", "Logical", "all", "1"].map((v): [string, string] => ["wal_level", v]),
  ...["on", "true", "local", "remote_apply", "x"].map((v): [string, string] => ["synchronous_commit", v]),
  ...["debug", "debug5", "log", "loud"].map((v): [string, string] => ["log_min_messages", v]),
  ...["1.1", "0", "-0.1", "1e2", "x", ".5"].map((v): [string, string] => ["random_page_cost", v]),
  ...["0.5", "1.01", "50%"].map((v): [string, string] => ["checkpoint_completion_target", v]),
  ["shared_bufers", "1"],
  ["no_such_thing", "1"],
  ["zero_damaged_pages", "on"],
  ["my.extension_setting", "anything"],
];

describe("the check of settings", () => {
  let home: TestHome;
  let describe18: ReadonlyMap<string, SettingInfo>;
  let postgres: string;
  const folder = mkdtempSync(join(tmpdir(), "howdah-check-"));

  beforeAll(async () => {
    home = await TestHome.make();
    postgres = join(home.distribution.binDir, "postgres");
    describe18 = await describeSettings(home.distribution);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await home[Symbol.asyncDispose]();
  });

  it.each(CASES)("agrees with PostgreSQL about %s = '%s'", async (name, value) => {
    writeFileSync(join(folder, "postgresql.conf"), "");
    const taken = await run(postgres, ["-C", "data_directory", "-D", folder, "-c", `${name}=${value}`]).then(
      () => true,
      () => false,
    );
    expect(accepts(name, value)).toBe(taken);
  });

  function accepts(name: string, value: string): boolean {
    try {
      checkSettings({ [name]: value }, describe18);
      return true;
    } catch (error) {
      if (!isHowdahError(error)) throw error;
      return false;
    }
  }
});
