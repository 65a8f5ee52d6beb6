import { existsSync } from "node:fs";
import { endGateway } from "../../gateway/index.js";
import { systemClock } from "../../kernel/clock.js";
import { HowdahError, isHowdahError } from "../../kernel/errors.js";
import { listProcesses, type ProcessIdentity, readProcess, signalProcess, waitForExit } from "../../runtime/index.js";
import type { CommandContext } from "../command.js";
import { answers } from "./answers.js";
import { ensureServer } from "./launch.js";
import { findControl, findSupervisors } from "./processes.js";
import { installedUnit, isActive, stopUnit } from "./systemd.js";

/** A server that does not even say who it is within this time is stuck. */
const ANSWER_MS = 5_000;
/** One that was asked to end first finishes the action it is at; one that is stuck gets less. */
const GRACE_MS = 20_000;
const STUCK_GRACE_MS = 2_000;

export interface Stopped {
  /** Whether a server ran at all. */
  readonly stopped: boolean;
  readonly pid: number | null;
}

/**
 * Ends the control process and the loop or unit that would bring it back; with `all` every PostgreSQL server before,
 * and the gateway. Afterwards no process of this home's server is left, however it had been started and whatever state
 * it was in; without `all` the gateway goes on for those who are connected, and for servers that are awake.
 * Throws TIMEOUT.
 */
export async function stopServer(context: CommandContext, options: { readonly all: boolean }): Promise<Stopped> {
  const { stuck, ...outcome } = await stopOnce(context, options);
  // It could not end the PostgreSQL servers in order any more: a fresh one does.
  if (stuck && options.all) await stopOnce(context, options);
  // Control has ended it, unless it was killed over it.
  if (options.all) await endGateway(context.layout);
  return outcome;
}

async function stopOnce(context: CommandContext, options: { all: boolean }): Promise<Stopped & { stuck: boolean }> {
  const { layout } = context;
  const installed = installedUnit(context.environment);
  const unit = installed !== undefined && isActive(installed) ? installed : undefined;
  // Only a server can end the PostgreSQL servers in order, so one is started for that.
  if (options.all && existsSync(layout.stateDb)) await ensureServer(context);

  const answered = await answers(layout.apiSocket);
  const pid = answered ? await shutDown(context, options, unit !== undefined) : null;
  const stuck = answered && pid === null;
  if (unit !== undefined) stopUnit(unit);
  const left = await endLeftovers(context, stuck ? STUCK_GRACE_MS : GRACE_MS);
  return { stopped: answered || left.length > 0, pid: pid ?? left[0]?.pid ?? null, stuck };
}

/** Resolves to the number of the process that was asked to end, or null when it is stuck or dies meanwhile: then it
 *  could not do what it was asked for. */
async function shutDown(context: CommandContext, options: { all: boolean }, hasUnit: boolean): Promise<number | null> {
  const client = await context.quietClient();
  const progress = context.output.progress(
    options.all ? "Stopping every PostgreSQL server, then the server" : "Stopping the server",
  );
  try {
    const patience = systemClock.sleep(ANSWER_MS, context.signal).then(() => undefined);
    const status = await Promise.race([client.status(), patience]);
    if (status === undefined) return null;
    const identity = readProcess(status.control.pid);
    // systemd ends it by itself; only the end of everything has to be asked for.
    if (!options.all && hasUnit) return status.control.pid;
    await client.shutdown(options);
    if (identity !== null) await end(identity, GRACE_MS);
    return status.control.pid;
  } catch (error) {
    if (isHowdahError(error, "SERVER_UNREACHABLE")) return null;
    throw error;
  } finally {
    progress.stop();
  }
}

/** Whatever of the server still runs: a loop between two starts, a control process that starts, hangs or is alone. */
async function endLeftovers(context: CommandContext, graceMs: number): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  // What a loop started is in its group, also when the loop itself is gone; PostgreSQL servers have groups of their own.
  const groups = new Set<number>();
  for (;;) {
    const loops = findSupervisors(context.environment.home);
    for (const loop of loops) groups.add(loop.pid);
    const control = findControl(context.layout);
    const members = groups.size === 0 ? [] : listProcesses().filter((p) => groups.has(p.group));
    const left = [...(control === undefined ? [] : [control]), ...members];
    if (left.length === 0) return found;
    // The whole group at once: one by one, a loop could start a server after we looked and before it is ended itself.
    for (const loop of loops) signalProcess(loop, "SIGTERM", { group: true });
    for (const identity of left) signalProcess(identity, "SIGTERM");
    for (const identity of left) await end(identity, graceMs);
    found.push(...left);
  }
}

async function end(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (await waitForExit(identity, graceMs)) return;
  // It is stuck; what it was doing is repaired at the next start, as after any crash.
  signalProcess(identity, "SIGKILL");
  if (await waitForExit(identity, GRACE_MS)) return;
  throw new HowdahError("TIMEOUT", `process ${identity.pid} does not end`);
}
