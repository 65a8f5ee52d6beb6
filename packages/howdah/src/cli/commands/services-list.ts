import type { CommandContext } from "../command.js";
import { renderServiceTable } from "../render/services.js";

export async function run(
  context: CommandContext,
  _args: readonly string[],
  options: { readonly project?: string },
): Promise<void> {
  const client = await context.client();
  const services = await client.services.list(options.project === undefined ? {} : { project: options.project });
  context.output.result(services, () =>
    services.length === 0 && options.project !== undefined
      ? `Project '${options.project}' has no services.\n`
      : renderServiceTable(services, context.output.style),
  );
}
