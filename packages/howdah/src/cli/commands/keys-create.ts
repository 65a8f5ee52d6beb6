import type { CommandContext } from "../command.js";

export async function run(context: CommandContext, [name = ""]: readonly string[]): Promise<void> {
  const { output } = context;
  const client = await context.client();
  const { key, record } = await client.keys.create(name);
  // The key alone goes to stdout, so that `KEY=$(howdah keys create ci)` works.
  output.note("This key is shown once; only its hash is kept.");
  output.result({ ...record, key }, () => `${key}\n`);
}
