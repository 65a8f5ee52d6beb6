import type { WireGateway } from "../../api/client/types.js";
import type { CommandContext } from "../command.js";
import { answers } from "./answers.js";
import { ensureServer } from "./launch.js";
import { stopServer } from "./stop.js";
import { installedUnit, isActive, restartUnit } from "./systemd.js";

export interface Restarted {
  /** The new control process. */
  readonly pid: number;
  readonly gateway: WireGateway;
  /** Whether a server ran before. */
  readonly ran: boolean;
}

/**
 * Replaces the control process, then the gateway, by what is installed now; starts them where none ran. The gateway
 * stays while control is away and hands its listeners to its successor, so no client is refused and no connection ends.
 * Throws SERVER_UNREACHABLE, GATEWAY_UNREACHABLE.
 */
export async function restartServer(context: CommandContext): Promise<Restarted> {
  const ran = await restartControl(context);
  const client = await context.quietClient();
  const progress = context.output.progress("Handing the endpoints over to a new gateway");
  try {
    const gateway = await client.restartGateway();
    const { control } = await client.status();
    return { pid: control.pid, gateway, ran };
  } finally {
    progress.stop();
  }
}

async function restartControl(context: CommandContext): Promise<boolean> {
  const ran = await answers(context.layout.apiSocket);
  const unit = installedUnit(context.environment);
  if (unit !== undefined && isActive(unit)) {
    const progress = context.output.progress("Restarting the server");
    try {
      restartUnit(unit);
    } finally {
      progress.stop();
    }
  } else await stopServer(context, { all: false });
  await ensureServer(context);
  return ran;
}
