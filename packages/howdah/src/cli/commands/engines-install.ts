import type { CommandContext } from "../command.js";
import { wholeNumber } from "../usage.js";

export async function run(context: CommandContext, [text = ""]: readonly string[]): Promise<void> {
  const { output } = context;
  const major = wholeNumber(text, "major version");
  const client = await context.client();
  const progress = output.progress(`Installing PostgreSQL ${major}`);
  const engine = await client.engines
    .install(major, (message) => progress.update(message))
    .finally(() => progress.stop());
  const end = engine.end_of_life ? " It gets no more fixes: move to a newer major soon." : "";
  output.result(engine, () => `PostgreSQL ${engine.version} (${engine.kind}) is installed.${end}\n`);
}
