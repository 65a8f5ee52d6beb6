import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { HowdahError } from "../kernel/errors.js";
import type { Diagnostic } from "../spec/diagnostic.js";
import type { CommandContext } from "./command.js";
import { renderDiagnostic } from "./render/diagnostics.js";

/** Prints what a file's reader had to say. Throws MANIFEST_INVALID when an error was among it. */
export function tellDiagnostics(context: CommandContext, diagnostics: readonly Diagnostic[], file: string): void {
  const { output, cwd } = context;
  output.diagnostics.push(...diagnostics);
  const source = output.isTerminal ? (name: string) => textOf(resolve(cwd, name)) : undefined;
  for (const diagnostic of diagnostics) output.note(renderDiagnostic(diagnostic, output.errorStyle, source));
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  throw new HowdahError(
    "MANIFEST_INVALID",
    `'${file}' has ${errors.length === 1 ? "an error" : `${errors.length} errors`}`,
  );
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Only the excerpt is lost; the diagnostic says file and line.
    return undefined;
  }
}
