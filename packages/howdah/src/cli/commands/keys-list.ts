import type { CommandContext } from "../command.js";
import { humanDate } from "../render/dates.js";
import { renderTable } from "../render/table.js";

export async function run(context: CommandContext): Promise<void> {
  const { output } = context;
  const client = await context.client();
  const keys = await client.keys.list();
  output.result(keys, () => {
    if (keys.length === 0) return "No API keys yet. Make one with 'howdah keys create NAME'.\n";
    return renderTable(
      keys,
      [
        { title: "ID", value: (key) => String(key.id), align: "right" },
        { title: "NAME", value: (key) => key.name },
        { title: "CREATED", value: (key) => humanDate(key.created_at) },
        { title: "LAST USED", value: (key) => (key.last_used_at === null ? "never" : humanDate(key.last_used_at)) },
      ],
      output.style,
    );
  });
}
