import { type ChildProcessByStdio, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { minimalEnvironment } from "../../kernel/environment.js";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import { inPlaceOfInherited } from "../../runtime/process/index.js";
import type { InitScript } from "../../spec/index.js";

const LAST_LINES = 20;
const DRAIN_MS = 1_000;
const MAX_LINE_CHARS = 4_096;

/**
 * The program around a script. It runs as the service's user from its first instruction and gets the script on
 * standard input: as root we never write into a folder that this user could have replaced by a link.
 *
 * The official image runs an executable script and sources another one from a shell with `set -Eeo pipefail`.
 */
const RUNNER = `
set -e
umask 077
mkdir -p "$1/work"
cd "$1/work"
cat > "../$2"
umask 022
if [ "$3" = run ]; then chmod 700 "../$2"; exec "../$2" < /dev/null; fi
if command -v bash > /dev/null 2>&1; then exec bash -c 'set -Eeo pipefail; . "$1"' bash "../$2" < /dev/null; fi
exec sh -c 'set -e; . "$1"' sh "../$2" < /dev/null
`;

export interface ShellScriptOptions {
  readonly script: InitScript;
  /** Environment beside PATH, locale and zone. */
  readonly variables: Readonly<Record<string, string>>;
  readonly uid: number | null;
  /** Where `uid` may make a folder. It makes this one, the script is put there and starts in the empty `work` in it. */
  readonly folder: string;
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a `.sh` script; its output goes to the log, line by line, passwords censored.
 *  Throws INIT_SCRIPT_FAILED with the last lines, or the signal's reason. */
export async function runShellScript(o: ShellScriptOptions): Promise<void> {
  const { script, signal } = o;
  signal?.throwIfAborted();
  const words = ["-c", RUNNER, "howdah", o.folder, script.name, script.executable ? "run" : "source"];
  // Files that whoever started us left open are no business of the script's.
  const nothing = openSync("/dev/null", "r");
  const child = spawn("/bin/sh", words, {
    cwd: "/",
    env: { ...minimalEnvironment(), HOME: o.folder, ...o.variables },
    stdio: ["pipe", "pipe", "pipe", ...inPlaceOfInherited(nothing)],
    // A group of its own, so that what it left in the background can be ended with it.
    detached: true,
    ...(o.uid === null ? {} : { uid: o.uid, gid: o.uid }),
    // The types know pipes only where nothing follows them.
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
  closeSync(nothing);
  const endGroup = () => killGroup(child.pid);
  signal?.addEventListener("abort", endGroup, { once: true });
  const last: string[] = [];
  const censor = censorOf(o.variables);
  const lines = [child.stdout, child.stderr].map(async (stream) => {
    for await (const whole of linesOf(stream)) {
      const line = censor(whole);
      o.log.info({ script: script.name, text: line }, "output of an init script");
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
    }
  });
  // A script that ends before it was read through is told by its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(Buffer.from(script.contentBase64, "base64"));
  let ending: number | NodeJS.Signals | null;
  try {
    ending = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, killedBy) => resolve(code ?? killedBy));
    });
  } finally {
    signal?.removeEventListener("abort", endGroup);
    endGroup();
  }
  // What it moved into a session of its own may hold the output open for ever.
  await Promise.race([Promise.all(lines), delay(DRAIN_MS, undefined, { ref: false })]);
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  signal?.throwIfAborted();
  if (ending !== 0) throw shellFailure(script.name, ending, last);
}

/** Of a line that is longer, or never ends, the beginning; the rest is never in memory. */
async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  stream.setEncoding("utf8");
  let rest = "";
  let isTold = false;
  for await (const chunk of stream) {
    const [first = "", ...more] = String(chunk).split("\n");
    rest += first;
    for (const next of more) {
      if (!isTold) yield rest.slice(0, MAX_LINE_CHARS).replace(/\r$/, "");
      isTold = false;
      rest = next;
    }
    if (rest.length <= MAX_LINE_CHARS) continue;
    if (!isTold) yield rest.slice(0, MAX_LINE_CHARS);
    isTold = true;
    rest = "";
  }
  if (rest !== "" && !isTold) yield rest;
}

function shellFailure(name: string, ending: number | string | null, last: readonly string[]): HowdahError {
  const how = typeof ending === "number" ? `exit code ${ending}` : `signal ${ending}`;
  const said = last.length === 0 ? "" : `: ${last.slice(-3).join(" | ")}`;
  const missing =
    ending === 127 || ending === 126
      ? /(?:^|[\s:])([\w./-]+): (?:command )?not found/.exec(last.join("\n"))?.[1]
      : undefined;
  return new HowdahError("INIT_SCRIPT_FAILED", `${name} ended with ${how}${said}`, {
    fields: { script: name, output: last },
    ...(missing === undefined ? {} : { hint: hintForMissing(missing) }),
  });
}

function hintForMissing(program: string): string {
  if (program.startsWith("docker_")) {
    return `'${program}' is a function of the official image and not there: write 'psql -v ON_ERROR_STOP=1' instead.`;
  }
  return /^(psql|pg_|createdb|createuser)/.test(program)
    ? `The script calls '${program}': install the PostgreSQL client tools, on Debian and Ubuntu with 'apt-get install postgresql-client'.`
    : `The script calls '${program}', which is not installed on this machine.`;
}

/** Scripts run with 'set -x' tell what they were given. */
function censorOf(variables: Readonly<Record<string, string>>): (line: string) => string {
  const secrets = Object.entries(variables).flatMap(([name, value]) =>
    /PASSWORD|SECRET/i.test(name) && value !== "" ? [value] : [],
  );
  return (line) => secrets.reduce((text, secret) => text.replaceAll(secret, "[redacted]"), line);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Nobody is left in the group; macOS says EPERM when only its dead leader is.
    if (!["ESRCH", "EPERM"].includes(errnoOf(error) ?? "")) throw error;
  }
}
