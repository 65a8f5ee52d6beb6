import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Environment, inheritedEnvironment, readEnvironment } from "../../kernel/environment.js";
import { HowdahError } from "../../kernel/errors.js";

/** One installation's unit, and which systemd it belongs to. */
export interface Unit {
  readonly name: string;
  readonly path: string;
  readonly user: boolean;
}

/** The unit of this home: `howdah.service` for the default one, else with a hash of the path, so homes never mix. */
export function unitOf(environment: Environment): Unit {
  const { HOWDAH_HOME: _ignored, ...rest } = inheritedEnvironment();
  const isDefault = readEnvironment(rest).home === environment.home;
  const hash = createHash("sha256").update(environment.home).digest("hex").slice(0, 8);
  const name = isDefault ? "howdah.service" : `howdah-${hash}.service`;
  const user = !environment.isRoot;
  const folder = user ? join(configHome(), "systemd", "user") : "/etc/systemd/system";
  return { name, path: join(folder, name), user };
}

function configHome(): string {
  return inheritedEnvironment()["XDG_CONFIG_HOME"] || join(homedir(), ".config");
}

/** Whether systemd runs this machine, as sd_booted(3) tells. */
export function isSystemdRunning(): boolean {
  return existsSync("/run/systemd/system");
}

/** The unit of this home where `server install` has made one and systemd can be asked; else undefined. */
export function installedUnit(environment: Environment): Unit | undefined {
  if (process.platform !== "linux") return undefined;
  const unit = unitOf(environment);
  return isSystemdRunning() && existsSync(unit.path) ? unit : undefined;
}

export function isActive(unit: Unit): boolean {
  try {
    systemctl(unit, ["is-active", "--quiet", unit.name]);
    return true;
  } catch {
    // A non-zero exit code is its way to say no.
    return false;
  }
}

export function startUnit(unit: Unit): void {
  systemctl(unit, ["start", unit.name]);
}

export function stopUnit(unit: Unit): void {
  systemctl(unit, ["stop", unit.name]);
}

export function restartUnit(unit: Unit): void {
  systemctl(unit, ["restart", unit.name]);
}

/** Throws INTERNAL with what systemctl said. */
export function systemctl(unit: Unit, words: readonly string[]): void {
  const all = unit.user ? ["--user", ...words] : [...words];
  try {
    execFileSync("systemctl", all, { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new HowdahError("INTERNAL", `'systemctl ${all.join(" ")}' failed${said === "" ? "" : `: ${said}`}`, {
      cause: error,
      hint: `Read 'systemctl ${unit.user ? "--user " : ""}status ${unit.name}'.`,
    });
  }
}

/**
 * The unit's text. KillMode=process: PostgreSQL servers outlive a restart of the server, and are adopted again.
 * OOMPolicy=continue: one of them that runs out of memory must not take the server and all others down.
 * `variables` are PATH and the HOWDAH_* of the caller, HOWDAH_HOME among them.
 */
export function unitText(options: {
  readonly node: string;
  readonly program: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly user: boolean;
}): string {
  const environment = Object.entries(options.variables)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => `Environment=${quote(`${name}=${value}`)}\n`)
    .join("");
  return `[Unit]
Description=Howdah, managed PostgreSQL
After=network.target

[Service]
Type=exec
ExecStart=${[options.node, options.program, "server", "run"].map(quoteWord).join(" ")}
${environment}KillMode=process
KillSignal=SIGTERM
TimeoutStopSec=60
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2 5 8 10
LimitNOFILE=65536
OOMPolicy=continue
UMask=0022

[Install]
WantedBy=${options.user ? "default.target" : "multi-user.target"}
`;
}

/** In ExecStart `$` stands for variables, too. */
function quoteWord(text: string): string {
  return quote(text.replaceAll("$", "$$$$"));
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}
