import { HowdahError, isHowdahError } from "../../kernel/errors.js";
import type { CommandContext } from "../command.js";
import { humanAge } from "../render/dates.js";
import { renderPairs } from "../render/table.js";

/** Starts nothing: whoever asks whether it runs wants to know, not to change it. */
export async function run(context: CommandContext): Promise<void> {
  const { environment, layout, output } = context;
  const client = await context.quietClient();
  try {
    const status = await client.status();
    output.result(status, () =>
      renderPairs(
        [
          ["Server", `running, process ${status.control.pid}, started ${humanAge(status.control.started_at)}`],
          ["Gateway", status.gateway.pid === null ? "none" : `process ${status.gateway.pid}`],
          ["Version", status.version],
          ["API", status.url],
          ["Services", `${status.services.running} of ${status.services.total} running`],
          ["Home", status.home],
          ["Log", layout.serverLog],
        ],
        output.style,
      ),
    );
  } catch (error) {
    if (!isHowdahError(error, "SERVER_UNREACHABLE")) throw error;
    const errno = error.fields["errno"];
    if (errno !== "ENOENT" && errno !== "ECONNREFUSED") throw error;
    throw new HowdahError("SERVER_UNREACHABLE", `no server runs for '${environment.home}'`, {
      cause: error,
      hint: `Start it with 'howdah server start'; its log is ${layout.serverLog}.`,
      fields: { home: environment.home },
    });
  }
}
