import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../kernel/clock.js";
import { inheritedEnvironment } from "../../kernel/environment.js";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { prepareHome, signalProcess } from "../../runtime/index.js";
import type { CommandContext } from "../command.js";
import { answers } from "./answers.js";
import { logTail, openServerLog } from "./log-tail.js";
import { findSupervisors } from "./processes.js";
import { SUPERVISOR_NUDGE, supervisorArguments } from "./supervisor.js";
import { installedUnit, startUnit } from "./systemd.js";
import { SERVER_UMASK } from "./umask.js";

/** Long enough for a slow disk and the recovery of many services; the server answers before they are all up. */
const START_TIMEOUT_MS = 30_000;
/** The loop's exit code when another server of this home was quicker. */
const SERVER_RUNNING_EXIT = 5;

/** The committed entry point beside the build: what a unit or a loop starts. */
export function programPath(): string {
  return fileURLToPath(new URL("../../../bin/howdah.js", import.meta.url));
}

/**
 * Resolves when a server of this home answers, having started it where none did: through systemd where it is
 * installed, else in the background under a loop that keeps it alive. Several callers at once end up with one
 * server, because only one control can hold the home's lock. Throws SERVER_UNREACHABLE with the log's last lines.
 */
export async function ensureServer(context: CommandContext): Promise<void> {
  const { layout, output, signal } = context;
  if (await answers(layout.apiSocket)) return;
  const progress = output.progress("Starting the server");
  try {
    const unit = installedUnit(context.environment);
    if (unit !== undefined) {
      startUnit(unit);
      await waitUntilItAnswers(
        layout.apiSocket,
        () => undefined,
        signal,
        () => journalHint(unit.name),
      );
      return;
    }
    await makeHome(context);
    const loop = launchLoop(context);
    await waitUntilItAnswers(layout.apiSocket, loop.exitCode, signal, () => loop.explain());
  } finally {
    progress.stop();
  }
}

/** Other users pass through folders of root's home, so the umask of this shell must not close them. */
async function makeHome({ environment, layout }: CommandContext): Promise<void> {
  const before = process.umask(SERVER_UMASK);
  try {
    await prepareHome(layout, { isRoot: environment.isRoot });
  } finally {
    process.umask(before);
  }
}

interface Loop {
  /** undefined while it runs, or when it was started by somebody else. */
  exitCode(): number | undefined;
  explain(): HowdahError;
}

function launchLoop(context: CommandContext): Loop {
  const { environment, layout } = context;
  const log = openLog(layout.serverLog);
  const explain = (): HowdahError => unreachable(layout.serverLog, log.size);
  try {
    // A loop that is just bringing its server back needs no second one.
    const running = findSupervisors(environment.home);
    // Again and again: a nudge may come a moment before the pause that it should end.
    const nudge = () => {
      for (const loop of running) signalProcess(loop, SUPERVISOR_NUDGE);
      return undefined;
    };
    if (running.length > 0) return { exitCode: nudge, explain };
    let code: number | undefined;
    const child = spawn("/bin/sh", supervisorArguments(environment.home, process.execPath, programPath()), {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: serverVariables(environment.home),
    });
    child.once("exit", (exit) => {
      code = exit ?? 1;
    });
    child.once("error", () => {
      code = 1;
    });
    child.unref();
    return { exitCode: () => code, explain };
  } finally {
    closeSync(log.fd);
  }
}

function openLog(path: string): { fd: number; size: number } {
  try {
    return openServerLog(path);
  } catch (error) {
    const why = errnoOf(error) ?? "unknown reason";
    throw new HowdahError("HOME_UNUSABLE", `unable to write '${path}' (${why})`, { cause: error });
  }
}

async function waitUntilItAnswers(
  socketPath: string,
  exitCode: () => number | undefined,
  signal: AbortSignal,
  explain: () => HowdahError,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (let pauseMs = 10; ; pauseMs = Math.min(100, pauseMs * 1.5)) {
    if (await answers(socketPath)) return;
    const code = exitCode();
    const lost = code !== undefined && code !== SERVER_RUNNING_EXIT;
    if (lost || Date.now() > deadline) throw explain();
    await systemClock.sleep(pauseMs, signal);
  }
}

function unreachable(path: string, from: number): HowdahError {
  const lines = logTail(path, from, 12);
  const said = lines.length === 0 ? "" : `; its log says:\n${lines.map((line) => `  | ${line}`).join("\n")}`;
  return new HowdahError("SERVER_UNREACHABLE", `the server did not start${said}`, {
    hint: `The whole log is ${path}.`,
  });
}

function journalHint(unit: string): HowdahError {
  return new HowdahError("SERVER_UNREACHABLE", `systemd started '${unit}', but the server does not answer`, {
    hint: `Read 'journalctl -u ${unit}'.`,
  });
}

const KEPT = [
  ...["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TZ"],
  // Engines are installed with npm, which has to find its settings and the way out.
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  ...["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["npm_config_registry", "npm_config_userconfig", "npm_config_globalconfig", "npm_config_cache"],
  ...["npm_config_cafile", "npm_config_proxy", "npm_config_https_proxy", "npm_config_noproxy"],
];

/** A server lives longer than the shell that happened to start it, so it inherits only what it needs. */
function serverVariables(home: string): Record<string, string> {
  const kept = Object.entries(inheritedEnvironment()).filter(
    ([name]) => KEPT.includes(name) || name.startsWith("HOWDAH_"),
  );
  return { ...Object.fromEntries(kept), HOWDAH_HOME: home };
}
