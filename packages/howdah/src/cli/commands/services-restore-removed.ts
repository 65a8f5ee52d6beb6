import type { CommandContext } from "../command.js";
import { humanDate } from "../render/dates.js";
import { renderConnections } from "../render/services.js";
import { renderTable } from "../render/table.js";
import { usageError, wholeNumber } from "../usage.js";
import { type WaitOptions, waitForServices } from "../wait-for.js";

type Options = WaitOptions & { readonly id?: string; readonly as?: string };

export async function run(context: CommandContext, [name]: readonly string[], options: Options): Promise<void> {
  if (name !== undefined && options.id !== undefined) {
    throw usageError("both a name and --id are given", "Give one of them.");
  }
  const wanted = options.id === undefined ? name : String(wholeNumber(options.id, "service number"));
  if (wanted === undefined) return await listTrash(context);
  const { output } = context;
  const client = await context.client();
  const restored = await client.trash.restore(wanted, options.as === undefined ? {} : { as: options.as });
  const [service = restored] = await waitForServices(context, client, [restored], options);
  output.result(service, () => renderConnections([service], ({ slug }) => slug, output.style));
}

async function listTrash(context: CommandContext): Promise<void> {
  const { output } = context;
  const client = await context.client();
  const trash = await client.trash.list();
  output.result(trash, () => {
    if (trash.length === 0) return "The trash is empty.\n";
    return renderTable(
      trash,
      [
        { title: "ID", value: (entry) => String(entry.id), align: "right" },
        { title: "NAME", value: (entry) => entry.name },
        { title: "PROJECT", value: (entry) => entry.project },
        { title: "MAJOR", value: (entry) => String(entry.major), align: "right" },
        { title: "REMOVED", value: (entry) => humanDate(entry.removed_at) },
        { title: "KEPT UNTIL", value: (entry) => humanDate(entry.expires_at) },
      ],
      output.style,
    );
  });
}
