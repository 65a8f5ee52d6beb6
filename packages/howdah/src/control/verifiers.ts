/**
 * Answers the gateway's question who may log in. A running server is asked itself, so that a password that was changed
 * by SQL holds at the next login; a sleeping one must not be woken by somebody who cannot log in, and its roles cannot
 * change, so they are answered from what was kept when it went to sleep.
 */
import { HowdahError } from "../kernel/errors.js";
import { ADMIN_ROLE, readRoleSecret } from "../postgres/index.js";
import type { RoleSecret } from "../spec/index.js";
import type { ServiceRecord } from "../store/index.js";
import { type Context, titleOf } from "./context.js";

export async function verifierOf(context: Context, service: number, role: string): Promise<RoleSecret | null> {
  if (role === ADMIN_ROLE) return null;
  for (;;) {
    const record = context.store.services.get(service);
    if (record === undefined || record.desired === "deleted") throw gone();
    if (record.provisioned !== null && isDown(record, context)) return kept(context, service, role);
    // Being made, being started: the server itself will know.
    if (!context.gateway.isOpen(service)) {
      await context.sleep.wake(service);
      continue;
    }
    try {
      return await context.admin.run(record, (client) => readRoleSecret(client, role));
    } catch (error) {
      // It went down while it was asked; otherwise there is nothing more to try.
      if (context.gateway.isOpen(service)) throw error;
    }
  }
}

/** Down on purpose, so that its roles are known. */
function isDown(record: ServiceRecord, context: Context): boolean {
  if (record.desired === "stopped") return true;
  return !context.gateway.isOpen(record.id) && context.store.services.sleep(record.id).asleep;
}

function kept({ store }: Context, service: number, role: string): RoleSecret | null {
  return store.services.roleSecret(service, role);
}

function gone(): HowdahError {
  return new HowdahError("SERVICE_NOT_FOUND", "the service is being removed");
}

/** What a client hears when waiting cannot help. */
export function refusal(record: ServiceRecord | undefined): HowdahError | null {
  if (record === undefined || record.desired === "deleted") return gone();
  if (record.desired === "stopped") {
    return new HowdahError("SERVICE_STOPPED", `service '${titleOf(record)}' is stopped`, {
      hint: `Start it with 'howdah services start ${titleOf(record)}'.`,
    });
  }
  return null;
}
