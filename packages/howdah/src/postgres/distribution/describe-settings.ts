import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { minimalEnvironment } from "../../kernel/environment.js";
import { HowdahError } from "../../kernel/errors.js";
import { removeTree } from "../../runtime/process/index.js";
import type { Distribution } from "../types.js";
import { runProgram } from "./run-program.js";

/**
 * What the server program itself says about settings. All of it works without a data directory and, unlike a server,
 * as root (2 × 5 ms). Asking beats a copy of its tables: names, ranges and enum values differ between majors.
 */
type SettingContext = "internal" | "postmaster" | "sighup" | "superuser-backend" | "backend" | "superuser" | "user";

export interface SettingInfo {
  readonly name: string;
  /** When it can be set: a `postmaster` setting takes a restart. */
  readonly context: SettingContext;
  readonly type: "bool" | "integer" | "real" | "string" | "enum";
  /** Numbers without unit, in the setting's own base unit; null for types without a range. */
  readonly min: number | null;
  readonly max: number | null;
  /** The documented values; PostgreSQL takes further spellings of some. Null for other types. */
  readonly enumValues: readonly string[] | null;
}

const known = new Map<string, Promise<ReadonlyMap<string, SettingInfo>>>();

/**
 * The settings of a distribution by name in lower case. Developer options and those of extensions are not listed, so a
 * missing name is not always a wrong one. Remembered per folder and version. Throws ENGINE_CORRUPT.
 */
export function describeSettings(distribution: Distribution): Promise<ReadonlyMap<string, SettingInfo>> {
  const key = `${distribution.binDir} ${distribution.version}`;
  let description = known.get(key);
  if (description === undefined) {
    description = readDescription(distribution);
    known.set(key, description);
    description.catch(() => known.delete(key));
  }
  return description;
}

async function readDescription(distribution: Distribution): Promise<ReadonlyMap<string, SettingInfo>> {
  const { code, stdout, stderr } = await runProgram(join(distribution.binDir, "postgres"), ["--describe-config"], {
    cwd: distribution.binDir,
    env: minimalEnvironment(),
  });
  const settings = parseDescription(stdout);
  if (code !== 0 || settings.length === 0) {
    throw new HowdahError(
      "ENGINE_CORRUPT",
      `PostgreSQL ${distribution.version} does not describe its settings: ${stderr.trim()}`,
    );
  }
  const values = await enumValues(
    distribution,
    settings.filter((s) => s.type === "enum" && s.context !== "internal").map((s) => s.name),
  );
  return new Map(settings.map((s) => [s.name.toLowerCase(), { ...s, enumValues: values.get(s.name) ?? null }]));
}

const TYPES: Readonly<Record<string, SettingInfo["type"]>> = {
  BOOLEAN: "bool",
  INTEGER: "integer",
  REAL: "real",
  STRING: "string",
  ENUM: "enum",
};

/** One line a setting: name, context, group, type, default, min, max, description, divided by tabs. */
export function parseDescription(text: string): SettingInfo[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", context = "", , kind = "", , min = "", max = ""] = line.split("\t");
    const type = TYPES[kind];
    if (type === undefined) return [];
    const ranged = type === "integer" || type === "real";
    return {
      name,
      context: context as SettingContext,
      type,
      min: ranged ? Number(min) : null,
      max: ranged ? Number(max) : null,
      enumValues: null,
    };
  });
}

/** The list does not tell the values of enums, but the complaint about a wrong one does: one file with a wrong value
 *  for each, one start of the program, one hint a setting. */
async function enumValues(distribution: Distribution, names: readonly string[]): Promise<Map<string, string[]>> {
  const folder = await mkdtemp(join(tmpdir(), "howdah-settings-"));
  try {
    await writeFile(join(folder, "postgresql.conf"), names.map((name) => `${name} = 'no such value'\n`).join(""));
    const args = ["-C", "data_directory", "-D", folder];
    const { stderr } = await runProgram(join(distribution.binDir, "postgres"), args, {
      cwd: folder,
      env: minimalEnvironment(),
    });
    return parseEnumHints(stderr);
  } finally {
    await removeTree(folder);
  }
}

/** `LOG:  invalid value for parameter "wal_level": "…"` followed by `HINT:  Available values: minimal, replica, logical.` */
export function parseEnumHints(stderr: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  let name: string | undefined;
  for (const line of stderr.split("\n")) {
    name = /invalid value for parameter "([^"]+)"/.exec(line)?.[1] ?? name;
    const list = /HINT: {2}Available values: (.*)\.$/.exec(line)?.[1];
    if (name !== undefined && list !== undefined) values.set(name, list.split(", "));
  }
  return values;
}
