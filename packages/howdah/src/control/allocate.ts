/** Writes the row of a new service with its own port, uid and password. Choosing and writing happen one caller at a
 *  time, so two creations never choose the same. */
import { HowdahError } from "../kernel/errors.js";
import { generatePassword } from "../kernel/password.js";
import { claimUid, findFreePort, isPortFree, releaseUid, requireFreeSpace } from "../runtime/index.js";
import type { NewService, ServiceRecord } from "../store/index.js";
import { MIN_FREE_BYTES } from "./act.js";
import { type Context, marks, takenUids } from "./context.js";

export interface Allocation
  extends Pick<NewService, "project" | "name" | "origin" | "definition" | "engine" | "initScripts"> {
  readonly password: string | null;
  readonly port: number | null;
}

export class Allocator {
  readonly #context: Context;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Throws PORT_TAKEN, NO_PORT_FREE, DISK_FULL, SERVICE_EXISTS. */
  insert(wish: Allocation): Promise<ServiceRecord> {
    const result = this.#turn.then(() => this.#insert(wish));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #insert(wish: Allocation): Promise<ServiceRecord> {
    const { store, layout, environment } = this.#context;
    if (store.services.byName(wish.name, wish.project).length > 0) {
      throw new HowdahError("SERVICE_EXISTS", `service '${wish.name}' exists already in project '${wish.project}'`);
    }
    await requireFreeSpace(layout.home, MIN_FREE_BYTES);
    const taken = store.services.ports();
    if (wish.port !== null) await requirePort(wish.port, taken);
    const port = wish.port ?? (await findFreePort(taken, environment.firstPort));
    const uid = environment.isRoot ? await claimUid({ home: layout.home, taken: takenUids(this.#context) }) : null;
    try {
      const record = store.services.insert({ ...wish, port, uid, password: wish.password ?? generatePassword() });
      if (wish.port === null) marks.automaticPort.set(store, record.id, true);
      store.events.append({ serviceId: record.id, kind: "created", message: `endpoint on port ${port}` });
      return record;
    } catch (error) {
      if (uid !== null) await releaseUid({ home: layout.home, uid });
      throw error;
    }
  }
}

/** Throws PORT_TAKEN. `own`: the service's present port is no obstacle to itself. */
export async function requirePort(port: number, taken: ReadonlySet<number>, own: number | null = null): Promise<void> {
  if (port === own) return;
  if (taken.has(port)) {
    throw new HowdahError("PORT_TAKEN", `port ${port} belongs to another service`, {
      hint: "Choose another port; 'howdah services list' shows those in use, and removed services keep theirs for 7 days.",
      fields: { port },
    });
  }
  if (!(await isPortFree(port))) {
    throw new HowdahError("PORT_TAKEN", `port ${port} is in use by another program`, { fields: { port } });
  }
}
