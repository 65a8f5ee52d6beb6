import { buildProgram } from "../../packages/howdah/dist/cli/program.js";
import { GENERATED, table } from "./markdown.mjs";

const WIDTH = 100;

export function generate() {
  let written = "";
  const output = {
    writeOut: (text) => {
      written += text;
    },
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  };
  const program = buildProgram({ output });
  const help = (command) => {
    written = "";
    command.outputHelp();
    return written.trimEnd().replace(/[ \t]+$/gm, "");
  };
  const commands = visibleCommands(program, []);
  const contents = commands
    .filter(({ command }) => command.commands.length === 0)
    .map(({ path, command }) => [`[\`howdah ${path}\`](#howdah-${path.replaceAll(" ", "-")})`, command.summary()]);
  const sections = commands.map(({ path, command }) => `## howdah ${path}\n\n\`\`\`text\n${help(command)}\n\`\`\`\n`);
  return `${GENERATED}

# Command line

Exit codes and error codes are in [errors.md](errors.md), environment variables in [environment.md](environment.md).

${table(["command", "what it does"], contents)}

\`\`\`text
${help(program)}
\`\`\`

${sections.join("\n")}`;
}

/** Depth first, in the order of the help text. */
function visibleCommands(parent, above) {
  const helper = parent.createHelp();
  return helper
    .visibleCommands(parent)
    .filter((command) => command.name() !== "help")
    .flatMap((command) => {
      const names = [...above, command.name()];
      return [{ path: names.join(" "), command }, ...visibleCommands(command, names)];
    });
}
