import { inheritedEnvironment } from "../../kernel/environment.js";
import type { Stack } from "../../spec/stack.js";
import type { CommandContext } from "../context.js";
import { tellDiagnostics } from "../tell-diagnostics.js";

export interface FileOptions {
  readonly file?: string;
  readonly project?: string;
}

export interface LoadedStack {
  readonly stack: Stack;
  /** The file as the door names it. */
  readonly file: string;
}

/** Reads the compose file and tells what it has to say. Throws MANIFEST_INVALID when there is an error in it. */
export async function loadStack(context: CommandContext, options: FileOptions): Promise<LoadedStack> {
  const { loadCompose } = await import("../../manifests/compose/index.js");
  const loaded = await loadCompose({
    cwd: context.cwd,
    shell: inheritedEnvironment(),
    ...(options.file === undefined ? {} : { file: options.file }),
    ...(options.project === undefined ? {} : { projectName: options.project }),
  });
  tellDiagnostics(context, loaded.diagnostics, loaded.file);
  return { stack: loaded.stack, file: loaded.file };
}
