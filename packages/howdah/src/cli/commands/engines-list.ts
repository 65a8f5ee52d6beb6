import type { WireEngine } from "../../api/client/types.js";
import type { CommandContext } from "../command.js";
import { renderTable } from "../render/table.js";

export async function run(context: CommandContext): Promise<void> {
  const { output } = context;
  const client = await context.client();
  const engines = await client.engines.list();
  output.result(engines, () =>
    renderTable(
      engines,
      [
        { title: "MAJOR", value: (engine) => String(engine.major), align: "right" },
        { title: "VERSION", value: (engine) => engine.version },
        { title: "KIND", value: (engine) => engine.kind },
        { title: "STATE", value: stateOf, tone: (engine) => (engine.installed ? "good" : "dim") },
        { title: "SERVICES", value: (engine) => String(engine.services), align: "right" },
        { title: "PATH", value: (engine) => engine.path ?? "-", tone: () => "dim" },
      ],
      output.style,
    ),
  );
}

function stateOf(engine: WireEngine): string {
  const state = engine.installed ? "installed" : "available";
  return engine.end_of_life ? `${state}, end of life` : state;
}
