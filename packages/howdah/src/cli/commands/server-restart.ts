import type { CommandContext } from "../command.js";
import { restartServer } from "../server/restart.js";

export async function run(context: CommandContext): Promise<void> {
  const { pid, gateway, ran } = await restartServer(context);
  const { output, environment } = context;
  output.result({ restarted: ran, pid, gateway, home: environment.home }, () => {
    const sessions = gateway.draining.reduce((sum, old) => sum + old.sessions, 0);
    const kept = sessions === 0 ? "" : `; the old one serves ${count(sessions, "connection")} to the end`;
    return `The server ${ran ? "is restarted" : "runs"}: process ${pid}, gateway ${gateway.pid}${kept}.\n`;
  });
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
