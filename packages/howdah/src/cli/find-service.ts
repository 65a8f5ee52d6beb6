import type { HowdahClient, WireServiceDetails } from "../api/client/types.js";
import { isHowdahError } from "../kernel/errors.js";
import type { CommandContext } from "./command.js";
import { projectHint } from "./project.js";
import { usageError, wholeNumber } from "./usage.js";

/** The options by which every command on one service names it. */
export interface ServiceOptions {
  readonly id?: string;
  readonly project?: string;
}

/**
 * The service that the words mean: `--id`, or a name, project/name or slug. In a folder with a compose file the
 * file's own project is looked at first. Throws USAGE, SERVICE_NOT_FOUND, SERVICE_AMBIGUOUS.
 */
export async function findService(
  context: CommandContext,
  client: HowdahClient,
  name: string | undefined,
  options: ServiceOptions,
  reveal = false,
): Promise<WireServiceDetails> {
  if (options.id !== undefined) {
    if (name !== undefined) throw usageError("both a name and --id are given", "Give one of them.");
    return await client.services.details(wholeNumber(options.id, "service number"), { reveal });
  }
  if (name === undefined) throw usageError("no service is named", "Give its name, or its number with --id.");
  if (options.project !== undefined) return await client.services.find(name, { project: options.project, reveal });
  const here = name.includes("/") ? undefined : await projectHint(context);
  if (here !== undefined) {
    try {
      return await client.services.find(name, { project: here, reveal });
    } catch (error) {
      if (!isHowdahError(error, "SERVICE_NOT_FOUND") && !isHowdahError(error, "PROJECT_NOT_FOUND")) throw error;
    }
  }
  return await client.services.find(name, { reveal });
}
