import { access } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../kernel/errors.js";
import { changeNeeds, type Distribution, describeSettings, observeServer } from "../postgres/index.js";
import type { ServiceRecord } from "../store/index.js";
import { type Context, credentialsOf, marks, wantedOf } from "./context.js";
import type { ServiceFacts } from "./plan-service.js";

/** Reads the world for one service: files, processes and our own marks; asks PostgreSQL nothing. */
export async function observeService(context: Context, record: ServiceRecord): Promise<ServiceFacts> {
  const { store, layout } = context;
  const paths = layout.service(record.id);
  const server = await observeServer({ paths, uid: record.uid }, { knownClean: context.clean.has(record.id) });
  // Only a running server can be reloaded instead of restarted; a wake does not wait for what it does not need.
  const distribution = server.kind === "ready" ? await installedDistribution(context, record) : null;
  const describe = distribution === null ? null : await describeSettings(distribution);
  return {
    server,
    listening: context.gateway.listening(record),
    asleep: store.services.sleep(record.id).asleep,
    wakeWanted: context.sleep.wakeWanted(record.id),
    sleepWanted: context.sleep.sleepWanted(record.id),
    applied: marks.applied.get(store, record.id),
    wanted: wantedOf(context, record),
    credentials: credentialsOf(store, record),
    initScriptsPending: store.services.initScripts(record.id).length > 0,
    initScriptsBegun: marks.initScriptsBegun.get(store, record.id),
    inTrash: server.kind === "absent" && (await exists(join(layout.trash, String(record.id)))),
    needsRestart: (names) => describe === null || changeNeeds(names, describe) === "restart",
  };
}

async function installedDistribution(context: Context, record: ServiceRecord): Promise<Distribution | null> {
  const known = await context.engines.list();
  const installed = known.some((e) => e.major === record.definition.major && e.installed);
  return installed ? context.engines.resolve(record.definition.major, record.engine) : null;
}

/** Only "not there" counts as absent: a disk that fails must not make a folder look moved. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
