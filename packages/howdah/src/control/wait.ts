import { HowdahError } from "../kernel/errors.js";
import type { ServiceRecord } from "../store/index.js";
import { type Context, titleOf } from "./context.js";
import type { Reconciler } from "./reconciler.js";
import type { ServiceView } from "./types.js";
import type { Views } from "./views.js";

/** Follows one service until the wish that stands now (or a later one) was carried out or failed. */
export async function waitFor(
  context: Context,
  reconciler: Reconciler,
  views: Views,
  id: number,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<ServiceView | null> {
  const { store, changes } = context;
  const first = store.services.get(id);
  const wish = first?.generation ?? 0;
  let onChange = (_changed: number) => {};
  let onAbort = () => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<ServiceView | null>((resolve, reject) => {
      const look = () => {
        const record = store.services.get(id);
        // The reason stays when the service itself was rolled back.
        const failure = reconciler.failure(id, wish);
        // And it is told only once that is complete, so that nothing half-made is left when the user reads why.
        const rollingBack = failure?.rollback === true && record?.desired === "deleted";
        if (failure !== undefined && !rollingBack) return reject(failure.error);
        if (record === undefined) {
          if (first !== undefined) return resolve(null);
          return reject(new HowdahError("SERVICE_NOT_FOUND", `service ${id} does not exist`));
        }
        if (record.observedGeneration >= wish && settled(record)) resolve(views.view(record));
      };
      onChange = (changed) => {
        if (changed === id) look();
      };
      onAbort = () => reject(options.signal?.reason);
      changes.on("changed", onChange);
      options.signal?.addEventListener("abort", onAbort, { once: true });
      timer = setTimeout(() => reject(timedOut(context, id, options.timeoutMs)), options.timeoutMs);
      look();
    });
  } finally {
    clearTimeout(timer);
    changes.off("changed", onChange);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

function settled(record: ServiceRecord): boolean {
  return (
    (record.desired === "running" && (record.state === "running" || record.state === "sleeping")) ||
    (record.desired === "stopped" && record.state === "stopped")
  );
}

function timedOut(context: Context, id: number, timeoutMs: number): HowdahError {
  const record = context.store.services.get(id);
  const what = record === undefined ? `service ${id}` : `service '${titleOf(record)}'`;
  const doing = record?.stateDetail ?? record?.state ?? "gone";
  return new HowdahError("TIMEOUT", `${what} is not ready after ${Math.round(timeoutMs / 1000)} s (${doing})`);
}
