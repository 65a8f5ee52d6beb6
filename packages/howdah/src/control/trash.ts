/**
 * Removed services lie in the trash for a week. The folder moves first and the row second, and whoever finds one
 * without the other finishes the move; so a crash in between loses nothing and leaves nothing.
 */
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { endProcessesOf } from "../postgres/index.js";
import { isClaimedBy, releaseUid, removeTree } from "../runtime/index.js";
import type { ServiceRecord } from "../store/index.js";
import type { Context } from "./context.js";
import { exists } from "./observe-service.js";

const TRASH_DAYS = 7;
const DAY_MS = 86_400_000;

export async function moveToTrash(context: Context, record: ServiceRecord): Promise<void> {
  const { layout, store } = context;
  await endProcesses(context, record.uid);
  await renameIfThere(layout.service(record.id).root, trashFolder(context, record.id));
  await removeTree(layout.service(record.id).socket);
  store.trash.put(record.id, Date.now() + TRASH_DAYS * DAY_MS);
  store.events.append({ serviceId: record.id, kind: "removed", message: `kept in the trash for ${TRASH_DAYS} days` });
  context.log.info({ serviceId: record.id }, "service moved to the trash");
}

/** A service that never came to be holds nothing worth keeping. */
export async function discardService(context: Context, record: ServiceRecord): Promise<void> {
  const { layout, store } = context;
  await endProcesses(context, record.uid);
  await removeTree(layout.service(record.id).root);
  await removeTree(layout.service(record.id).socket);
  store.services.discard(record.id);
  await releaseUidOf(context, record.uid);
}

/** Finishes a restore that was asked for: the row is back, the folder not yet. */
export async function recoverFromTrash(context: Context, id: number): Promise<void> {
  await renameIfThere(trashFolder(context, id), context.layout.service(id).root);
}

/** Ends what expired. Also finishes what a crash left of earlier purges. */
export async function purgeExpired(context: Context, now: number): Promise<void> {
  for (const item of context.store.trash.list()) {
    if (item.expiresAt <= now) await purge(context, item.id);
  }
}

async function purge(context: Context, id: number): Promise<void> {
  const item = context.store.trash.get(id);
  await endProcesses(context, item?.service.uid ?? null);
  await removeTree(trashFolder(context, id));
  context.store.trash.purge(id);
  await releaseUidOf(context, item?.service.uid ?? null);
}

/** After the row: a crash in between leaves a claim without a row, which the next start gives back. */
async function releaseUidOf(context: Context, uid: number | null): Promise<void> {
  if (uid !== null) await releaseUid({ home: context.layout.home, uid });
}

/** The service's superuser may have left programs running that are no part of PostgreSQL, and that outlive it. */
async function endProcesses(context: Context, uid: number | null): Promise<void> {
  if (uid !== null && (await isClaimedBy(context.layout.home, uid))) await endProcessesOf(uid, context.log);
}

function trashFolder(context: Context, id: number): string {
  return join(context.layout.trash, String(id));
}

async function renameIfThere(from: string, to: string): Promise<void> {
  if (!(await exists(from))) return;
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}
