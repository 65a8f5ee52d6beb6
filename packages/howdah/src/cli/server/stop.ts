import { existsSync } from "node:fs";
import { HowdahError } from "../../kernel/errors.js";
import { type ProcessIdentity, readProcess, signalProcess, waitForExit } from "../../runtime/index.js";
import type { CommandContext } from "../command.js";
import { answers } from "./answers.js";
import { ensureServer } from "./launch.js";
import { findControl, findSupervisors } from "./processes.js";
import { installedUnit, isActive, stopUnit } from "./systemd.js";

/** A server that was asked to end first finishes the action it is at. */
const END_TIMEOUT_MS = 20_000;

export interface Stopped {
  /** Whether a server ran at all. */
  readonly stopped: boolean;
  readonly pid: number | null;
}

/**
 * Ends the control process and the loop or unit that would bring it back; with `all` every PostgreSQL server before.
 * Afterwards no process of this home's server is left, however it had been started. Throws TIMEOUT.
 */
export async function stopServer(context: CommandContext, options: { readonly all: boolean }): Promise<Stopped> {
  const { layout } = context;
  const installed = installedUnit(context.environment);
  // Only a server can end the PostgreSQL servers in order, so one is started for that.
  if (options.all && existsSync(layout.stateDb)) await ensureServer(context);

  const unit = installed !== undefined && isActive(installed) ? installed : undefined;
  const pid = (await answers(layout.apiSocket)) ? await shutDown(context, options, unit !== undefined) : null;
  if (unit !== undefined) stopUnit(unit);

  const loops = findSupervisors(context.environment.home);
  const left = findControl(layout);
  for (const loop of loops) signalProcess(loop, "SIGTERM", { group: true });
  if (left !== undefined) signalProcess(left, "SIGTERM");
  for (const identity of [...loops, ...(left === undefined ? [] : [left])]) await end(identity);
  return { stopped: pid !== null || loops.length > 0 || left !== undefined, pid: pid ?? left?.pid ?? null };
}

async function shutDown(context: CommandContext, options: { all: boolean }, hasUnit: boolean): Promise<number> {
  const client = await context.quietClient();
  const { control } = await client.status();
  const identity = readProcess(control.pid);
  const progress = context.output.progress(
    options.all ? "Stopping every PostgreSQL server, then the server" : "Stopping the server",
  );
  try {
    // systemd ends it by itself; only the end of everything has to be asked for.
    if (options.all || !hasUnit) await client.shutdown(options);
    if (identity !== null && (options.all || !hasUnit)) await end(identity);
  } finally {
    progress.stop();
  }
  return control.pid;
}

async function end(identity: ProcessIdentity): Promise<void> {
  if (await waitForExit(identity, END_TIMEOUT_MS)) return;
  // It is stuck; what it was doing is repaired at the next start, as after any crash.
  signalProcess(identity, "SIGKILL");
  if (await waitForExit(identity, END_TIMEOUT_MS)) return;
  throw new HowdahError("TIMEOUT", `process ${identity.pid} does not end`);
}
