import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { WireCheck } from "../api/client/types.js";
import type { CommandContext } from "./command.js";
import { installedUnit, isActive } from "./server/systemd.js";

/** What can be told without a server. */
export async function localChecks(context: CommandContext): Promise<WireCheck[]> {
  return [checkNode(process.versions.node), checkHome(context), await checkPsql(), ...checkUnit(context)];
}

function checkNode(version: string): WireCheck {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return { name: "node", status: "ok", message: version };
  return { name: "node", status: "error", message: `${version} is too old`, hint: "Install Node 20.19 or newer." };
}

function checkHome(context: CommandContext): WireCheck {
  const { home } = context.environment;
  // A home that is not there yet is made in the nearest folder that exists.
  let folder = home;
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return { name: "home", status: "ok", message: folder === home ? home : `${home} (not made yet)` };
  } catch {
    // The reason is always a missing permission, and is said.
    return {
      name: "home",
      status: "error",
      message: `'${folder}' cannot be written`,
      hint: "Choose a folder of your own with HOWDAH_HOME.",
    };
  }
}

async function checkPsql(): Promise<WireCheck> {
  try {
    const { stdout } = await promisify(execFile)("psql", ["--version"]);
    return { name: "psql", status: "ok", message: stdout.trim() };
  } catch {
    // Not there, or not to be run: both mean that 'howdah psql' will not work.
    return {
      name: "psql",
      status: "warning",
      message: "not installed; everything but 'howdah psql' works without it",
      hint: "Install the PostgreSQL client, on Debian and Ubuntu with 'apt-get install postgresql-client'.",
    };
  }
}

function checkUnit(context: CommandContext): WireCheck[] {
  const unit = installedUnit(context.environment);
  if (unit === undefined) return [];
  return isActive(unit)
    ? [{ name: "systemd", status: "ok", message: `${unit.name} is active` }]
    : [
        {
          name: "systemd",
          status: "warning",
          message: `${unit.name} is installed but not active`,
          hint: "Start it with 'howdah server start'.",
        },
      ];
}
