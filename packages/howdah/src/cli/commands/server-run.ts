import type { CommandContext } from "../command.js";

/** In the foreground, until a signal or a shutdown request ends it. */
export async function run(context: CommandContext): Promise<number> {
  const { runServer } = await import("../../api/main.js");
  context.releaseSignals();
  return await runServer(context.environment);
}
