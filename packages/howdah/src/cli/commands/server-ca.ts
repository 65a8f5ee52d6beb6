import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import type { CommandContext } from "../command.js";

interface Options {
  readonly out?: string;
}

export async function run(context: CommandContext, _args: readonly string[], { out }: Options): Promise<void> {
  const { output } = context;
  const client = await context.client();
  const certificate = await client.ca();
  if (out !== undefined) await writePublic(resolve(context.cwd, out), out, certificate);
  output.result({ certificate, file: out ?? null }, () => (out === undefined ? certificate : `Wrote '${out}'.\n`));
  if (!output.isTerminal || output.json) return;
  output.note(`Clients check the server with it: sslmode=verify-full sslrootcert=${out ?? "FILE"}`);
}

/** Nothing about it is secret, and the clients are seldom the user who fetches it. */
async function writePublic(path: string, shown: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o644 });
  } catch (error) {
    throw new HowdahError("INVALID_INPUT", `unable to write '${shown}' (${errnoOf(error) ?? "unknown reason"})`, {
      cause: error,
      hint: "Name a file in a folder that exists and that you may write to.",
    });
  }
}
