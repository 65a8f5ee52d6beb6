import type { CommandSpec } from "../command.js";
import { serverCommand } from "./server.js";
import { servicesCommand } from "./services.js";
import { stackCommands } from "./stack.js";
import { adminCommands, toolCommands } from "./tools.js";

/** Every command in the order of the help text. */
export const commandTree: readonly CommandSpec[] = [
  ...stackCommands,
  servicesCommand,
  ...toolCommands,
  serverCommand,
  ...adminCommands,
];
