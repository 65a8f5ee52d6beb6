import type { ServerStatus } from "../../api/client/types.js";
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
          ["Gateway", gatewayOf(status.gateway)],
          ["Draining", drainingOf(status.gateway)],
          ["Version", status.version],
          ["API", status.url],
          ["Services", servicesOf(status.services)],
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

function gatewayOf({ pid, version, started_at }: ServerStatus["gateway"]): string {
  if (pid === null) return "not there; it is being started";
  const started = started_at === null ? "" : `, started ${humanAge(started_at)}`;
  return `running, process ${pid}${started}${version === null ? "" : `, version ${version}`}`;
}

/** Older gateways that only serve the connections they have. */
function drainingOf({ draining }: ServerStatus["gateway"]): string | undefined {
  if (draining.length === 0) return undefined;
  return draining
    .map(({ pid, sessions }) => `process ${pid} with ${sessions} connection${sessions === 1 ? "" : "s"}`)
    .join(", ");
}

function servicesOf({ total, running, sleeping }: ServerStatus["services"]): string {
  return `${running} of ${total} running${sleeping === 0 ? "" : `, ${sleeping} sleeping`}`;
}
