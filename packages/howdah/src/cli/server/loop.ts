import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { inheritedEnvironment } from "../../kernel/environment.js";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { isAlive, signalProcess } from "../../runtime/index.js";
import type { CommandContext } from "../command.js";
import { openServerLog } from "./log-tail.js";
import { findSupervisors } from "./processes.js";
import { programPath, SERVER_NODE_OPTIONS } from "./program-path.js";
import { SUPERVISOR_NUDGE, supervisorArguments } from "./supervisor.js";

/** The exit code of a server, and so of its loop, when another one of this home was quicker. */
const SERVER_RUNNING_EXIT = 5;

/** A loop that keeps the server of a home alive, ours or another command's. */
export interface Loop {
  /** undefined while it runs; `refused`: its server could not start; `gone`: it ended for a reason that says nothing
   *  about the next one. Asking also ends its pause between two tries, since somebody wants the server now. */
  ended(): "refused" | "gone" | undefined;
  /** Where in the log its server's words begin. */
  readonly logFrom: number;
}

/** The loop that runs already, else a new one. Throws HOME_UNUSABLE when the log cannot be written. */
export function takeLoop(context: CommandContext): Loop {
  const { environment, layout } = context;
  const log = openLog(layout.serverLog);
  try {
    const running = findSupervisors(environment.home);
    if (running.length > 0) {
      return {
        logFrom: log.size,
        // At each look: a nudge may come a moment before the pause that it should end.
        ended: () =>
          running.filter((loop) => signalProcess(loop, SUPERVISOR_NUDGE)).some(isAlive) ? undefined : "gone",
      };
    }
    let end: "refused" | "gone" | undefined;
    const child = spawn("/bin/sh", supervisorArguments(environment.home, process.execPath, programPath()), {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: serverVariables(environment.home),
    });
    child.once("exit", (code) => {
      end = code === null || code === SERVER_RUNNING_EXIT ? "gone" : "refused";
    });
    child.once("error", () => {
      end = "refused";
    });
    child.unref();
    return { logFrom: log.size, ended: () => end };
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
  return { ...Object.fromEntries(kept), HOWDAH_HOME: home, NODE_OPTIONS: SERVER_NODE_OPTIONS };
}
