/** What the gateway asks of control when a client knocks, and what control shows of its clients. */
import type { SessionInfo } from "../gateway/index.js";
import type { Context } from "./context.js";
import { titleOf } from "./context.js";
import type { Reconciler } from "./reconciler.js";
import type { ConnectionView } from "./types.js";
import { refusal } from "./verifiers.js";

/** Resolves when the service takes connections. `failed`: it was said to, and did not. Throws what a client should hear
 *  when waiting cannot help. */
export async function letIn(context: Context, reconciler: Reconciler, service: number, failed: boolean): Promise<void> {
  const record = context.store.services.get(service);
  const refused = refusal(record);
  if (refused !== null) throw refused;
  if (context.gateway.isOpen(service) && !failed) return context.gateway.opened(service);
  // What cannot be helped by waiting was found out before; somebody has to do something first.
  const failure = record === undefined ? undefined : reconciler.failure(service, record.generation);
  if (failure !== undefined && record?.state === "failed" && !failure.error.spec.retryable) throw failure.error;
  await context.sleep.wake(service);
}

export function connectionView({ store }: Context, session: SessionInfo): ConnectionView[] {
  const record = store.services.get(session.service);
  if (record === undefined) return [];
  return [
    {
      service: titleOf(record),
      serviceId: session.service,
      pid: session.pid,
      client: session.client,
      username: session.role,
      database: session.database,
      application: session.application,
      tls: session.tls,
      state: session.state,
      since: session.since,
    },
  ];
}
