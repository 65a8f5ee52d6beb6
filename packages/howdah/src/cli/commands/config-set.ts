import { randomBytes } from "node:crypto";
import { inheritedEnvironment } from "../../kernel/environment.js";
import { HowdahError } from "../../kernel/errors.js";
import { checkConfigName } from "../../kernel/names.js";
import type { CommandContext } from "../command.js";
import { askSecret } from "../input/ask.js";
import { type ConfigSetOptions, type ConfigSource, parseConfigSet } from "../input/config-set-form.js";
import { dropFinalLineBreak, readStdin, readTextFile } from "../input/read-value.js";
import { currentProject } from "../project.js";
import { tellDiagnostics } from "../tell-diagnostics.js";

type Options = ConfigSetOptions & { readonly project?: string; readonly ifNotSet?: boolean };

export async function run(context: CommandContext, args: readonly string[], options: Options): Promise<void> {
  const { output } = context;
  const values = await readValues(context, parseConfigSet(args, options));
  for (const name of Object.keys(values)) checkConfigName(name);
  const project = await currentProject(context, options);
  const client = await context.client();
  const configs: { name: string; written: boolean }[] = [];
  for (const [name, value] of Object.entries(values)) {
    const written = await client.configs.set(project, name, value, { ifNotSet: options.ifNotSet === true });
    configs.push({ name, written });
  }
  output.result({ project, configs }, () =>
    configs
      .map(({ name, written }) =>
        written ? `Set ${name} of project '${project}'.\n` : `${name} of project '${project}' was set already.\n`,
      )
      .join(""),
  );
  if (configs.some(({ written }) => written)) output.note("Run 'howdah up' to apply it.");
}

async function readValues(context: CommandContext, source: ConfigSource): Promise<Readonly<Record<string, string>>> {
  switch (source.kind) {
    case "pairs":
      return source.values;
    case "random":
      return { [source.name]: randomValue() };
    case "env-file": {
      const { readEnvFile } = await import("../input/env-file.js");
      const { values, diagnostics } = readEnvFile(source.file, await readTextFile(context.cwd, source.file));
      tellDiagnostics(context, diagnostics, source.file);
      return values;
    }
    case "file":
      return { [source.name]: dropFinalLineBreak(await readTextFile(context.cwd, source.file)) };
    case "stdin":
      return { [source.name]: dropFinalLineBreak(await readStdin()) };
    case "environment": {
      const value = inheritedEnvironment()[source.name];
      if (value !== undefined) return { [source.name]: value };
      throw new HowdahError("CONFIG_MISSING", `the environment has no variable '${source.name}'`, {
        hint: "Export it first, or write NAME=VALUE.",
      });
    }
    case "prompt": {
      // Asked for before the server is bothered; the name is checked first, so nobody types in vain.
      checkConfigName(source.name);
      if (!context.output.mayAsk) {
        throw new HowdahError("USAGE", `no value for '${source.name}', and no terminal to ask for it`, {
          hint: "Write NAME=VALUE, or NAME - to read standard input, or NAME --random.",
        });
      }
      return { [source.name]: await askSecret(context.output, `Value of ${source.name}`) };
    }
  }
}

/** As Defang makes them: 256 bits that need no quoting anywhere. */
function randomValue(): string {
  return randomBytes(32).toString("base64").replace(/[+/=]/g, "");
}
