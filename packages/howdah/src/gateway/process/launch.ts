/**
 * How control finds, starts and ends the gateway. The gateway is two processes or more: a keeper, which holds the
 * listeners and nothing else, and its workers. All of them outlive control.
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { HowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import { type Layout, type ProcessIdentity, signalProcess, spawnDetached, waitForExit } from "../../runtime/index.js";
import { findGatewayProcesses, findKeepers } from "./find.js";

/** The build's, also when this runs from the sources. */
const KEEPER = fileURLToPath(new URL("../../../dist/gateway/process/keeper-main.js", import.meta.url));
const GRACE_MS = 3_000;

export interface LaunchOptions {
  readonly layout: Layout;
  /** The user and group that workers become; null unless root. */
  readonly uid: number | null;
  readonly gid: number | null;
  readonly logLevel: string;
  /** Ours; told to the log. */
  readonly version: string;
  readonly log: Logger;
}

/**
 * The keeper of this home, started if none lives: watch it with `watchExit` and call again when it ended. Its worker
 * connects to `layout.gatewaySocket` by itself, within about 200 ms. A worker whose keeper is gone is made to let go of
 * its ports by GatewayServer, as soon as the new one is there. Call it under the home's lock.
 */
export async function launchGateway(o: LaunchOptions): Promise<ProcessIdentity> {
  const { layout, log, version } = o;
  const [living] = findKeepers(layout);
  if (living !== undefined) {
    writeInfo(layout, living, o.uid);
    log.info({ pid: living.pid }, "gateway runs already");
    return living;
  }
  const keeper = await spawnDetached({
    command: process.execPath,
    // It holds sockets and does nothing: V8 need not make room for young objects.
    args: ["--max-semi-space-size=1", KEEPER, layout.home, String(o.uid ?? "-"), String(o.gid ?? "-")],
    cwd: "/",
    uid: null,
    gid: null,
    env: { HOWDAH_HOME: layout.home, HOWDAH_LOG_LEVEL: o.logLevel },
    stdoutPath: layout.gatewayLog,
    stderrPath: layout.gatewayLog,
  });
  writeInfo(layout, keeper, o.uid);
  log.info({ pid: keeper.pid, version }, "gateway started");
  return keeper;
}

/** Ends the keeper and every worker of this home, with all their connections; also when no control is there. Nothing
 *  happens when there is none. Throws TIMEOUT. */
export async function endGateway(layout: Layout): Promise<void> {
  // Again until none is found: a keeper starts a worker in the place of one that ends.
  for (let left = findGatewayProcesses(layout); left.length > 0; left = findGatewayProcesses(layout)) {
    const keepers = findKeepers(layout);
    for (const keeper of keepers) signalProcess(keeper, "SIGTERM");
    for (const keeper of keepers) await end(keeper);
    for (const worker of findGatewayProcesses(layout)) {
      signalProcess(worker, "SIGTERM");
      await end(worker);
    }
  }
  rmSync(layout.gatewayInfo, { force: true });
}

async function end(identity: ProcessIdentity): Promise<void> {
  if (await waitForExit(identity, GRACE_MS)) return;
  signalProcess(identity, "SIGKILL");
  if (await waitForExit(identity, GRACE_MS)) return;
  throw new HowdahError("TIMEOUT", `process ${identity.pid} of the gateway does not end`);
}

/** Never half-written; under the home's lock, so the draft is ours. */
function writeInfo(layout: Layout, { pid, startTime }: ProcessIdentity, uid: number | null): void {
  const draft = `${layout.gatewayInfo}.tmp`;
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, `${JSON.stringify({ pid, startTime, uid })}\n`, { mode: 0o600, flag: "wx" });
    renameSync(draft, layout.gatewayInfo);
  } catch (error) {
    // A full disk takes the name and nothing more.
    rmSync(draft, { force: true });
    throw error;
  }
}
