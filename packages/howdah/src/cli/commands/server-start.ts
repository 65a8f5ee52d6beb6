import type { CommandContext } from "../command.js";
import { answers } from "../server/answers.js";
import { ensureServer } from "../server/launch.js";

export async function run(context: CommandContext): Promise<void> {
  const ranAlready = await answers(context.layout.apiSocket);
  await ensureServer(context);
  const client = await context.quietClient();
  const status = await client.status();
  context.output.result({ ...status, started: !ranAlready }, () => {
    const what = ranAlready ? "The server runs already" : "The server runs";
    return `${what}: process ${status.control.pid}, ${status.url}, home ${status.home}\n`;
  });
}
