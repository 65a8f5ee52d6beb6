import type { CommandContext } from "../command.js";

export async function run(context: CommandContext): Promise<void> {
  const { output } = context;
  const client = await context.client();
  const key = await client.recoveryKey();
  output.note("Whoever has this key and a copy of state.db can read every stored password. Keep it off this machine.");
  output.result({ key }, () => `${key}\n`);
}
