import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { inheritedEnvironment } from "../kernel/environment.js";
import { isHowdahError } from "../kernel/errors.js";
import { checkName, projectNameFrom } from "../kernel/names.js";
import type { CommandContext } from "./context.js";

const COMPOSE_FILES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/** The project that a command means: the named one, the compose file's here, or the folder's name. */
export async function currentProject(context: CommandContext, named: string | undefined): Promise<string> {
  if (named !== undefined) return checkName(named, "project");
  return (await projectOfFileHere(context)) ?? projectNameFrom(basename(context.cwd));
}

/** The project of the compose file in this folder; undefined where there is none. Throws what is wrong with the file. */
export async function projectOfFileHere(context: CommandContext): Promise<string | undefined> {
  if (!COMPOSE_FILES.some((name) => existsSync(join(context.cwd, name)))) return undefined;
  const { loadCompose } = await import("../manifests/compose/index.js");
  const { stack } = await loadCompose({ cwd: context.cwd, shell: inheritedEnvironment() });
  return stack.project;
}

/** As above, for a convenience that must not fail: a broken file here does not keep a service from being looked up. */
export async function projectHint(context: CommandContext): Promise<string | undefined> {
  try {
    return await projectOfFileHere(context);
  } catch (error) {
    if (isHowdahError(error)) return undefined;
    throw error;
  }
}
