import type { Command, Option } from "commander";
import { findSpec } from "./program.js";

/** docs/reference/cli.md: every command with its arguments and options, from the same tree that parses them. */
export function renderReference(program: Command): string {
  const sections = program.commands.filter(isShown).flatMap((command) => renderCommand(command, [command.name()]));
  return `# Command line

Generated from the program itself; do not edit.

Every command takes these:

${table(["Option", "Meaning"], program.options.map(optionRow))}
With \`--json\` stdout holds exactly one JSON document and everything else goes to stderr; a command that fails prints
\`{"error": {"code", "message", "hint", "exit_code", …}}\`. \`services logs --follow --json\` prints one object a line.
Exit codes are those of [the errors](errors.md); 130 means interrupted.

${sections.join("\n")}`;
}

function renderCommand(command: Command, path: readonly string[]): string[] {
  const spec = findSpec(path);
  const children = command.commands.filter(isShown);
  const usage = ["howdah", ...path, ...(children.length > 0 ? ["<command>"] : [command.usage()])].join(" ");
  const parts = [
    `${"#".repeat(Math.min(path.length + 1, 4))} howdah ${path.join(" ")}\n`,
    `${command.description()}\n`,
  ];
  if (children.length > 0) {
    const rows = children.map((child) => [
      `[\`${child.name()}\`](#${anchor([...path, child.name()])})`,
      child.summary(),
    ]);
    parts.push(table(["Command", "What it does"], rows));
  } else {
    parts.push(`\`\`\`\n${usage}\n\`\`\`\n`);
  }
  if (command.aliases().length > 0) {
    parts.push(
      `Also: ${command
        .aliases()
        .map((alias) => `\`${alias}\``)
        .join(", ")}.\n`,
    );
  }
  const args = command.registeredArguments.map((argument) => [`\`${argument.name()}\``, argument.description]);
  if (args.length > 0) parts.push(table(["Argument", "Meaning"], args));
  if (command.options.length > 0) parts.push(table(["Option", "Meaning"], command.options.map(optionRow)));
  if (spec?.details !== undefined) parts.push(`\`\`\`text\n${spec.details}\n\`\`\`\n`);
  return [parts.join("\n"), ...children.flatMap((child) => renderCommand(child, [...path, child.name()]))];
}

function isShown(command: Command): boolean {
  return command.name() !== "help" && findSpec(pathOf(command))?.hidden !== true;
}

function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

function optionRow(option: Option): string[] {
  const fallback = typeof option.defaultValue === "string" ? ` (default: \`${option.defaultValue}\`)` : "";
  const choices = option.argChoices === undefined ? "" : ` (${option.argChoices.map((c) => `\`${c}\``).join(", ")})`;
  return [`\`${option.flags}\``, `${option.description}${choices}${fallback}`];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((c) => c.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

function anchor(path: readonly string[]): string {
  return ["howdah", ...path].join("-");
}
