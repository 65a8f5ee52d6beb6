import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { type Environment, inheritedEnvironment } from "../../kernel/environment.js";
import { HowdahError } from "../../kernel/errors.js";
import type { CommandContext } from "../command.js";
import { usageError } from "../usage.js";
import { ensureServer } from "./launch.js";
import { programPath, SERVER_NODE_OPTIONS } from "./program-path.js";
import { stopServer } from "./stop.js";
import { isSystemdRunning, systemctl, type Unit, unitOf, unitText } from "./systemd.js";

export interface UnitPlan {
  readonly unit: Unit;
  readonly text: string;
}

/** What `server install` would write. Root's unit belongs to the machine, everybody else's to their own systemd. */
export function planUnit(environment: Environment, options: { readonly user: boolean }): UnitPlan {
  if (options.user && environment.isRoot) {
    throw usageError(
      "root's server belongs to the machine's systemd",
      "Leave --user out, or run it as an ordinary user.",
    );
  }
  const unit = unitOf(environment);
  const variables = Object.entries(inheritedEnvironment()).filter(([name]) => name.startsWith("HOWDAH_"));
  const text = unitText({
    node: process.execPath,
    program: programPath(),
    variables: {
      ...Object.fromEntries(variables),
      HOWDAH_HOME: environment.home,
      PATH: pathOfUnit(),
      NODE_OPTIONS: SERVER_NODE_OPTIONS,
    },
    user: unit.user,
  });
  return { unit, text };
}

/** systemd's own, with Node's folder in front: npm, which installs engines, stands beside a Node of nvm's or Homebrew's. */
function pathOfUnit(): string {
  const usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return [...new Set([dirname(process.execPath), ...usual])].join(":");
}

/** Writes, enables and starts the unit; a server in the background gives way to it. Resolves to what was done, a line each. */
export async function installUnit(context: CommandContext, { unit, text }: UnitPlan): Promise<string[]> {
  requireSystemd();
  const stopped = await stopServer(context, { all: false });
  mkdirSync(dirname(unit.path), { recursive: true });
  writeFileSync(unit.path, text, { mode: 0o644 });
  systemctl(unit, ["daemon-reload"]);
  systemctl(unit, ["enable", unit.name]);
  await ensureServer(context);
  return [
    ...(stopped.stopped ? ["stopped the server that ran in the background; PostgreSQL servers went on"] : []),
    `wrote ${unit.path}`,
    `enabled and started ${unit.name}`,
    ...(unit.user ? [`to have it run while you are logged out: loginctl enable-linger ${userInfo().username}`] : []),
    ...(/[\\/]_npx[\\/]/.test(programPath())
      ? ["it runs from npx's cache, which npm may clean: better 'npm install -g howdah' and install it again"]
      : []),
  ];
}

/** The inverse; PostgreSQL servers go on. Returns what was done, a line each. */
export function uninstallUnit(unit: Unit): string[] {
  requireSystemd();
  if (!existsSync(unit.path)) {
    throw new HowdahError("NOT_FOUND", `'${unit.path}' does not exist`, { hint: "There is nothing to uninstall." });
  }
  systemctl(unit, ["disable", "--now", unit.name]);
  rmSync(unit.path);
  systemctl(unit, ["daemon-reload"]);
  return [
    `stopped and disabled ${unit.name}`,
    `removed ${unit.path}`,
    "PostgreSQL servers go on, and the next command starts a server in the background; 'howdah server stop --all' ends everything",
  ];
}

function requireSystemd(): void {
  if (process.platform === "linux" && isSystemdRunning()) return;
  throw new HowdahError("PLATFORM_UNSUPPORTED", "this machine is not run by systemd", {
    hint: "Have your own supervisor run 'howdah server run'; without one, any command starts the server in the background.",
  });
}
