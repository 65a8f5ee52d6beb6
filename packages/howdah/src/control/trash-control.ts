import { HowdahError } from "../kernel/errors.js";
import { checkName } from "../kernel/names.js";
import { findFreePort, isPortFree } from "../runtime/index.js";
import type { TrashRecord } from "../store/index.js";
import type { Context } from "./context.js";
import type { Reconciler } from "./reconciler.js";
import type { Services } from "./services.js";
import type { Control, TrashView } from "./types.js";

/** The undo of `services remove`. */
export function trashControl(context: Context, reconciler: Reconciler, services: Services): Control["trash"] {
  const { store } = context;
  return {
    list: () => store.trash.list().filter(isWorthKeeping).map(view),
    restore: async (nameOrId, options = {}) => {
      const item = find(store.trash.list().filter(isWorthKeeping), nameOrId);
      const port = await portFor(context, item);
      const record = store.trash.restore(item.id, {
        name: checkName(options.as ?? item.service.name, "service"),
        port,
      });
      store.events.append({ serviceId: record.id, kind: "restored", message: `out of the trash, on port ${port}` });
      if (port !== item.service.port) {
        const notice = `port ${item.service.port} was taken meanwhile; the endpoint is on port ${port} now`;
        store.services.patch(record.id, { notices: [notice] });
      }
      reconciler.kick(record.id, { fresh: true });
      return services.start(record.id);
    },
  };
}

function isWorthKeeping(item: TrashRecord): boolean {
  return item.service.provisioned !== null;
}

/** The newest of that name. Throws TRASH_NOT_FOUND. */
function find(items: readonly TrashRecord[], nameOrId: string | number): TrashRecord {
  const matches = items.filter(({ id, service }) =>
    typeof nameOrId === "number"
      ? id === nameOrId
      : service.name === nameOrId || `${service.project}/${service.name}` === nameOrId || String(id) === nameOrId,
  );
  const newest = matches.sort((a, b) => b.removedAt - a.removedAt)[0];
  if (newest === undefined) throw new HowdahError("TRASH_NOT_FOUND", `no removed service '${nameOrId}' is kept`);
  return newest;
}

async function portFor(context: Context, item: TrashRecord): Promise<number> {
  const live = new Set(context.store.services.list().map((s) => s.port));
  const { port } = item.service;
  if (!live.has(port) && (await isPortFree(port))) return port;
  return findFreePort(context.store.services.ports(), context.environment.firstPort);
}

function view(item: TrashRecord): TrashView {
  return {
    id: item.id,
    project: item.service.project,
    name: item.service.name,
    major: item.service.definition.major,
    removedAt: item.removedAt,
    expiresAt: item.expiresAt,
  };
}
