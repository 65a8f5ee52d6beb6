import { existsSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { inheritedEnvironment } from "../kernel/environment.js";
import { isHowdahError } from "../kernel/errors.js";
import { checkName, projectNameFrom } from "../kernel/names.js";
import type { CommandContext } from "./command.js";
import { tellDiagnostics } from "./tell-diagnostics.js";

const COMPOSE_FILES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/** The project that a command means: the named one, else that of the named or found compose file, else the folder's name. */
export async function currentProject(
  context: CommandContext,
  options: { readonly project?: string; readonly file?: string },
): Promise<string> {
  if (options.project !== undefined) return checkName(options.project, "project");
  if (options.file === undefined && !hasComposeFile(context.cwd)) return projectNameFrom(basename(context.cwd));
  const loaded = await load(context, options.file);
  if (loaded.project !== null) return loaded.project;
  const shown = relative(context.cwd, loaded.file);
  tellDiagnostics(context, loaded.diagnostics, shown);
  return projectNameFrom(basename(dirname(loaded.file)));
}

/** The compose file's project, for a convenience that must not fail: a broken file does not hide services. */
export async function projectHint(context: CommandContext): Promise<string | undefined> {
  try {
    if (!hasComposeFile(context.cwd)) return undefined;
    return (await load(context, undefined)).project ?? undefined;
  } catch (error) {
    if (isHowdahError(error)) return undefined;
    throw error;
  }
}

async function load(context: CommandContext, file: string | undefined) {
  const { loadCompose } = await import("../manifests/compose/index.js");
  return loadCompose({ cwd: context.cwd, shell: inheritedEnvironment(), ...(file === undefined ? {} : { file }) });
}

/** Looks without loading the YAML reader, which costs more than most commands. */
function hasComposeFile(cwd: string): boolean {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (COMPOSE_FILES.some((name) => existsSync(join(folder, name)))) return true;
    if (folder === dirname(folder)) return false;
  }
}
