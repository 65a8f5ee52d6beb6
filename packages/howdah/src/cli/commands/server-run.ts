import type { CommandContext } from "../command.js";
import { SERVER_UMASK } from "../server/umask.js";

/** In the foreground, until a signal or a shutdown request ends it. */
export async function run(context: CommandContext): Promise<number> {
  const { runServer } = await import("../../api/main.js");
  context.releaseSignals();
  process.umask(SERVER_UMASK);
  return await runServer(context.environment);
}
