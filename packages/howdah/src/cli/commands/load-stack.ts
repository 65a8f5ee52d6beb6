import { relative } from "node:path";
import { inheritedEnvironment } from "../../kernel/environment.js";
import { HowdahError, type Place } from "../../kernel/errors.js";
import type { Stack } from "../../spec/stack.js";
import type { CommandContext } from "../command.js";
import { tellDiagnostics } from "../tell-diagnostics.js";

export interface FileOptions {
  readonly file?: string;
  readonly project?: string;
}

export interface LoadedStack {
  readonly stack: Stack;
  /** Relative to where the user is, as the diagnostics have it. */
  readonly file: string;
  readonly places: Readonly<Record<string, Place>>;
}

/** Reads the compose file and tells what it has to say. Throws MANIFEST_INVALID when there is an error in it. */
export async function loadStack(context: CommandContext, options: FileOptions): Promise<LoadedStack> {
  const { loadCompose } = await import("../../manifests/compose/index.js");
  const { stack, diagnostics, file, places } = loadCompose({
    cwd: context.cwd,
    shell: inheritedEnvironment(),
    ...(options.file === undefined ? {} : { file: options.file }),
    ...(options.project === undefined ? {} : { projectName: options.project }),
  });
  const shown = relative(context.cwd, file);
  tellDiagnostics(context, diagnostics, shown);
  if (stack === null) throw new HowdahError("MANIFEST_INVALID", `'${shown}' could not be read`);
  return { stack, file: shown, places };
}

/** Puts an error about a service, or a part of it, at its place in the file. */
export function atItsPlace({ places }: LoadedStack): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof HowdahError)) throw error;
    const { service, part } = error.fields;
    const place = places[`${String(service)}.${String(part)}`] ?? places[String(service)];
    if (place === undefined) throw error;
    throw new HowdahError(error.code, error.message, { place, hint: error.hint, fields: error.fields, cause: error });
  };
}
