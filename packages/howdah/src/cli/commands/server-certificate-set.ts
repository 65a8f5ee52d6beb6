import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { HowdahError } from "../../kernel/errors.js";
import type { CommandContext } from "../command.js";
import { readTextFile } from "../input/read-value.js";
import { tellCertificate } from "../tell-certificate.js";

interface Options {
  readonly cert?: string;
  readonly key?: string;
}

/** The files are read here, where the user is, and go to the server over its Unix socket only. */
export async function run(context: CommandContext, _args: readonly string[], options: Options): Promise<void> {
  const { cwd, output } = context;
  const { cert, key } = options;
  if (cert === undefined || key === undefined) {
    throw new HowdahError("USAGE", `--${cert === undefined ? "cert" : "key"} is missing`, {
      hint: "Name both files: 'howdah server certificate set --cert server.crt --key server.key'.",
    });
  }
  const certificate = { cert: await readTextFile(cwd, cert), key: await readTextFile(cwd, key) };
  if (await isReadableByAll(resolve(cwd, key))) {
    output.warn(`everybody on this machine can read '${key}'; run 'chmod 600 ${key}'`);
  }
  const client = await context.client();
  tellCertificate(output, await client.useCertificate(certificate));
  output.note("Connections from now on get it, open ones go on. The server keeps an encrypted copy of the key.");
}

async function isReadableByAll(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  return (mode & 0o004) !== 0;
}
