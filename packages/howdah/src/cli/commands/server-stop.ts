import type { CommandContext } from "../command.js";
import { stopServer } from "../server/stop.js";

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: { readonly all?: boolean },
): Promise<void> {
  const all = options.all === true;
  const { stopped, pid } = await stopServer(context, { all });
  context.output.result({ stopped, pid, all, home: context.environment.home }, () => {
    if (!stopped) return `No server ran for ${context.environment.home}.\n`;
    return all
      ? "The server, the gateway and every PostgreSQL server are stopped.\n"
      : "The server is stopped; the gateway and PostgreSQL servers go on.\n";
  });
}
