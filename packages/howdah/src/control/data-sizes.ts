/**
 * How much disk each service takes, looked up in the background: a walk over a thousand files is nothing to wait for
 * in a list, and nothing to do at every wake. A server that is down does not change, so only running ones are looked at
 * again.
 */
import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../kernel/errors.js";
import type { ServiceRecord } from "../store/index.js";
import type { Context } from "./context.js";

const LOOK_EVERY_MS = 60_000;

export class DataSizes implements Disposable {
  readonly #context: Context;
  readonly #bytes = new Map<number, number>();
  /** Those that are to be looked at, in order. */
  readonly #due = new Set<number>();
  #atWork = false;
  readonly #measuredAt = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #onChange = (id: number) => this.#changed(id);

  constructor(context: Context) {
    this.#context = context;
    context.changes.on("changed", this.#onChange);
    this.#timer = setInterval(() => this.#lookAtRunning(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Bytes of the data directory when it was last looked at; null before. */
  get(id: number): number | null {
    return this.#bytes.get(id) ?? null;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#context.changes.off("changed", this.#onChange);
    this.#due.clear();
  }

  #changed(id: number): void {
    const record = this.#context.store.services.get(id);
    if (record === undefined) {
      this.#bytes.delete(id);
      this.#measuredAt.delete(id);
    } else if (["running", "stopped", "sleeping"].includes(record.state) && this.#isDue(record)) this.#measure(id);
  }

  /** A service that sleeps and wakes every few seconds is not walked through each time. */
  #isDue({ id, state }: ServiceRecord): boolean {
    const last = this.#measuredAt.get(id);
    if (last === undefined || state === "stopped") return true;
    return state === "sleeping" && Date.now() - last > LOOK_EVERY_MS;
  }

  #lookAtRunning(): void {
    for (const record of this.#context.store.services.list()) if (record.state === "running") this.#measure(record.id);
  }

  #measure(id: number): void {
    this.#measuredAt.set(id, Date.now());
    this.#due.add(id);
    if (!this.#atWork) void this.#work();
  }

  /** One after the other: a server that starts with a thousand services would hold a million file names at once. */
  async #work(): Promise<void> {
    this.#atWork = true;
    for (const id of this.#due) {
      this.#due.delete(id);
      try {
        const bytes = await folderBytes(this.#context.layout.service(id).data);
        if (this.#measuredAt.has(id)) this.#bytes.set(id, bytes);
      } catch (err) {
        this.#context.log.warn({ err, serviceId: id }, "unable to measure the data directory");
      }
    }
    this.#atWork = false;
  }
}

/** Allocated bytes of all files below; what vanishes during the walk counts as nothing. */
async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) total += await folderBytes(path);
    else if (entry.isFile()) total += await fileBytes(path);
  }
  return total;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function fileBytes(path: string): Promise<number> {
  try {
    return (await lstat(path)).blocks * 512;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw error;
  }
}
