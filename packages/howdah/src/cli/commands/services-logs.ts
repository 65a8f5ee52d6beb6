import type { WireLogLine } from "../../api/client/types.js";
import type { CommandContext } from "../command.js";
import { findService, type ServiceOptions } from "../find-service.js";
import type { Style } from "../render/style.js";
import { wholeNumber } from "../usage.js";

type Options = ServiceOptions & { readonly follow?: boolean; readonly lines: string };

/** With --json an array; while following, one JSON object a line, since an array would never end. */
export async function run(context: CommandContext, [name]: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  const lines = wholeNumber(options.lines, "number of lines", 0);
  const follow = options.follow === true;
  const client = await context.client();
  const { service } = await findService(context, client, name, options);
  const signal = AbortSignal.any([context.signal, output.closed]);
  const kept: WireLogLine[] = [];
  for await (const line of client.services.logs(service.id, { lines, follow, signal })) {
    if (!output.json) output.write(renderLine(line, output.style));
    else if (follow) output.write(`${JSON.stringify(line)}\n`);
    else kept.push(line);
  }
  if (output.json && !follow) output.result(kept, () => "");
}

function renderLine(line: WireLogLine, style: Style): string {
  const stamp = line.at === null ? "" : `${style("dim", line.at)} `;
  const tone = line.level === "ERROR" || line.level === "FATAL" || line.level === "PANIC" ? "bad" : "dim";
  const level = line.level === null ? "" : `${style(tone, `${line.level}:`)} `;
  return `${stamp}${level}${line.message}\n`;
}
