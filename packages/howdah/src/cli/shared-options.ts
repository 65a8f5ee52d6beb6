import type { ArgumentSpec, OptionSpec } from "./command.js";

export const PROJECT: OptionSpec = {
  flags: "-p, --project <project>",
  description: "project to work on (default: the compose file's name here, else the folder's)",
  complete: "projects",
};

export const NARROW: OptionSpec = {
  flags: "-p, --project <project>",
  description: "look for the name in this project only",
  complete: "projects",
};

export const BY_ID: OptionSpec = { flags: "--id <number>", description: "the service's number, instead of its name" };

export const FILE: OptionSpec = {
  flags: "-f, --file <file>",
  description: "compose file (default: compose.yaml and its other names, here or above)",
  complete: "files",
};

export const NO_WAIT: OptionSpec = {
  flags: "--no-wait",
  description: "return as soon as the server has accepted the request",
};

export const YES: OptionSpec = { flags: "-y, --yes", description: "do not ask" };

export function timeout(fallback: string): OptionSpec {
  return { flags: "--timeout <duration>", description: "how long to wait, such as 90s or 5m", default: fallback };
}

export const SERVICE: ArgumentSpec = {
  name: "[name]",
  description: "name, project/name or slug of the service",
  complete: "services",
};
