import { systemClock } from "../../kernel/clock.js";
import { HowdahError } from "../../kernel/errors.js";
import { prepareHome } from "../../runtime/index.js";
import type { CommandContext } from "../command.js";
import { answers } from "./answers.js";
import { logTail } from "./log-tail.js";
import { type Loop, takeLoop } from "./loop.js";
import { installedUnit, startUnit } from "./systemd.js";
import { SERVER_UMASK } from "./umask.js";

/** Long enough for a slow disk and the recovery of many services; the server answers before they are all up. */
const START_TIMEOUT_MS = 30_000;
/** Between two loops of ours: a server that holds the lock and does not answer yet sends each of them away. */
const LOOP_EVERY_MS = 1_000;

/**
 * Resolves when a server of this home answers, having started it where none did: through systemd where it is
 * installed, else in the background under a loop that keeps it alive. Several callers at once end up with one
 * server, because only one control can hold the home's lock. Throws SERVER_UNREACHABLE with the log's last lines.
 */
export async function ensureServer(context: CommandContext): Promise<void> {
  if (await answers(context.layout.apiSocket)) return;
  const progress = context.output.progress("Starting the server");
  try {
    const unit = installedUnit(context.environment);
    if (unit === undefined) return await startLoop(context);
    startUnit(unit);
    await waitUntilItAnswers(context, (isLate) => {
      if (!isLate) return;
      throw new HowdahError("SERVER_UNREACHABLE", `systemd started '${unit.name}', but the server does not answer`, {
        hint: `Read 'journalctl ${unit.user ? "--user " : ""}-u ${unit.name}'.`,
      });
    });
  } finally {
    progress.stop();
  }
}

async function startLoop(context: CommandContext): Promise<void> {
  await makeHome(context);
  let loop = takeLoop(context);
  let takenAt = Date.now();
  await waitUntilItAnswers(context, (isLate) => {
    const end = loop.ended();
    if (isLate || end === "refused") throw unreachable(context, loop);
    // Another command's loop may have been refused, or ended by 'server stop', before it served us.
    if (end === "gone" && Date.now() - takenAt > LOOP_EVERY_MS) {
      loop = takeLoop(context);
      takenAt = Date.now();
    }
  });
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

/** `check` is called at each look in vain, and throws what ends the waiting. */
async function waitUntilItAnswers(context: CommandContext, check: (isLate: boolean) => void): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (let pauseMs = 10; ; pauseMs = Math.min(100, pauseMs * 1.5)) {
    if (await answers(context.layout.apiSocket)) return;
    check(Date.now() > deadline);
    await systemClock.sleep(pauseMs, context.signal);
  }
}

function unreachable({ layout }: CommandContext, loop: Loop): HowdahError {
  const lines = logTail(layout.serverLog, loop.logFrom, 12);
  const said = lines.length === 0 ? "" : `; its log says:\n${lines.map((line) => `  | ${line}`).join("\n")}`;
  return new HowdahError("SERVER_UNREACHABLE", `the server did not start${said}`, {
    hint: `The whole log is ${layout.serverLog}.`,
  });
}
