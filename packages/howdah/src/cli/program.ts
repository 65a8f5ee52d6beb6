import { Argument, Command, Option, type OutputConfiguration } from "commander";
import type { ArgumentSpec, CommandModule, CommandSpec, OptionSpec } from "./command.js";
import { commandTree } from "./tree/index.js";

type RunAction = (load: () => Promise<CommandModule>, args: string[], options: object) => Promise<void>;

interface BuildOptions {
  readonly version?: string;
  readonly runAction?: RunAction;
  readonly output?: OutputConfiguration;
}

/**
 * The commander tree. Light: no command's code is loaded before it is called, and the reference page and the
 * completion scripts are generated from this same tree. `runAction` is called with what the user chose.
 */
export function buildProgram(options: BuildOptions = {}): Command {
  const program = styled(new Command("howdah"), options)
    .description("Managed PostgreSQL from the file you already have, on your own machine.")
    .option("--json", "print one JSON document on stdout, and everything else on stderr")
    .addHelpText("after", "\nStart with 'howdah up' in a folder that has a compose file.");
  if (options.version !== undefined) program.version(options.version, "-V, --version", "print the version");
  for (const spec of commandTree) program.addCommand(buildCommand(spec, options), { hidden: spec.hidden === true });
  return program;
}

// Settings are not inherited by commands that are added ready-made.
function styled(command: Command, options: BuildOptions): Command {
  return command
    .helpOption("-h, --help", "show help")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput(options.output ?? {})
    .exitOverride();
}

function buildCommand(spec: CommandSpec, build: BuildOptions): Command {
  const command = styled(new Command(spec.name), build)
    .summary(spec.summary)
    .description(`${spec.summary.charAt(0).toUpperCase()}${spec.summary.slice(1)}.`)
    .helpCommand(false)
    .allowExcessArguments(false);
  if (spec.aliases !== undefined) command.aliases(spec.aliases);
  if (spec.details !== undefined) command.addHelpText("after", `\n${spec.details}`);
  for (const argument of spec.arguments ?? []) command.addArgument(buildArgument(argument));
  for (const option of spec.options ?? []) command.addOption(buildOption(option));
  for (const child of spec.commands ?? []) {
    command.addCommand(buildCommand(child, build), { hidden: child.hidden === true });
  }
  const { load } = spec;
  const { runAction } = build;
  if (load !== undefined && runAction !== undefined) {
    command.action(async () => {
      await runAction(load, command.args, command.opts());
    });
  }
  return command;
}

function buildArgument(spec: ArgumentSpec): Argument {
  return new Argument(spec.name, spec.description);
}

function buildOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.choices !== undefined) option.choices([...spec.choices]);
  if (spec.default !== undefined) option.default(spec.default);
  if (spec.conflicts !== undefined) option.conflicts([...spec.conflicts]);
  if (spec.repeatable === true) {
    option.argParser<string[]>((value, previous) => [...(previous ?? []), value]);
  }
  return option;
}
