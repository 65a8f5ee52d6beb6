import type { CommandSpec } from "../command.js";
import { FILE, NO_WAIT, PROJECT, timeout } from "../shared-options.js";

/** The commands of a project's file. */
export const stackCommands: readonly CommandSpec[] = [
  {
    name: "up",
    summary: "make the databases of a compose file real, and wait until they answer",
    details: `Every service with x-defang-postgres becomes a supervised PostgreSQL on this machine.
Running it again changes only what differs from the file; data is never touched.

Examples:
  howdah up
  howdah up -f deploy/compose.yaml -p shop
  howdah up --dry-run`,
    options: [
      FILE,
      PROJECT,
      { flags: "--dry-run", description: "show what would be done, and change nothing" },
      NO_WAIT,
      timeout("5m"),
    ],
    load: () => import("../commands/up.js"),
  },
  {
    name: "plan",
    summary: "show what 'howdah up' would do, and change nothing",
    options: [FILE, PROJECT],
    load: () => import("../commands/plan.js"),
  },
  {
    name: "down",
    summary: "stop a project's databases; with --volumes remove them",
    details: `Without --volumes all data stays, and 'howdah up' starts the databases again.
With --volumes they go to the trash, where they are kept for 7 days ('howdah services restore-removed').`,
    options: [
      FILE,
      PROJECT,
      { flags: "--volumes", description: "remove the databases with their data (kept in the trash for 7 days)" },
      { flags: "-y, --yes", description: "do not ask before removing" },
      NO_WAIT,
      timeout("60s"),
    ],
    load: () => import("../commands/down.js"),
  },
  {
    name: "config",
    summary: "keep the secrets and settings that a file refers to",
    commands: [
      {
        name: "set",
        aliases: ["create", "add", "put"],
        summary: "set configs; values are stored encrypted and can never be listed",
        details: `Forms:
  howdah config set NAME=VALUE [NAME=VALUE…]
  howdah config set NAME             asks for the value, without showing it
  howdah config set NAME -           reads the value from standard input
  howdah config set NAME FILE        reads the value from a file
  howdah config set NAME --random    makes one up: 32 random bytes in base64, without +, / and =
  howdah config set NAME --env       takes it from the environment variable of that name
  howdah config set --env-file FILE  sets every NAME=VALUE of a file

One line break at the end of a file or of standard input is not part of the value.`,
        arguments: [
          { name: "[name]", description: "NAME, or NAME=VALUE" },
          {
            name: "[values...]",
            description: "further NAME=VALUE pairs; or a file that holds the value, or -",
            complete: "files",
          },
        ],
        options: [
          PROJECT,
          { flags: "--random", description: "make up a value", conflicts: ["env", "envFile"] },
          { flags: "--env", description: "take the value from the environment", conflicts: ["random", "envFile"] },
          {
            flags: "--env-file <file>",
            description: "set every NAME=VALUE of this file",
            conflicts: ["random", "env"],
            complete: "files",
          },
          { flags: "--if-not-set", description: "leave configs alone that have a value already" },
        ],
        load: () => import("../commands/config-set.js"),
      },
      {
        name: "ls",
        aliases: ["list"],
        summary: "list the names that are set",
        options: [PROJECT],
        load: () => import("../commands/config-ls.js"),
      },
      {
        name: "rm",
        aliases: ["remove", "delete"],
        summary: "remove configs",
        arguments: [{ name: "<names...>", description: "names to remove" }],
        options: [PROJECT],
        load: () => import("../commands/config-rm.js"),
      },
    ],
  },
  {
    name: "env",
    summary: "print the environment of an app, or how to reach a database",
    details: `The values are the resolved ones, passwords included.

Examples:
  howdah env app > .env.local
  eval "$(howdah env app --format shell)"`,
    arguments: [{ name: "<name>", description: "app or service of the project", complete: "services" }],
    options: [
      PROJECT,
      {
        flags: "--format <format>",
        description: "how to write them",
        choices: ["dotenv", "json", "shell"],
        default: "dotenv",
      },
    ],
    load: () => import("../commands/env.js"),
  },
  {
    name: "run",
    summary: "run a command with the environment of an app",
    details: `The app's variables are added to the ones that are there. Exit code and signals pass through.

Example:
  howdah run app -- npm start`,
    arguments: [
      { name: "<app>", description: "app of the project", complete: "services" },
      { name: "<command...>", description: "the command, behind --" },
    ],
    options: [PROJECT],
    load: () => import("../commands/run.js"),
  },
];
