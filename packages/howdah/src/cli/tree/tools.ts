import type { CommandSpec } from "../command.js";
import { BY_ID, NARROW } from "../shared-options.js";

const MAJOR = { name: "<major>", description: "major version of PostgreSQL, such as 17", complete: "engines" } as const;

export const toolCommands: readonly CommandSpec[] = [
  {
    name: "psql",
    summary: "open this machine's psql on a service",
    details: `What follows -- goes to psql.\n\nExample:\n  howdah psql main -- -c 'select version()'`,
    arguments: [
      { name: "[name]", description: "name, project/name or slug of the service", complete: "services" },
      { name: "[arguments...]", description: "arguments of psql, behind --" },
    ],
    options: [BY_ID, NARROW],
    load: () => import("../commands/psql.js"),
  },
  {
    name: "engines",
    summary: "the PostgreSQL versions that are here or can be had",
    commands: [
      {
        name: "list",
        aliases: ["ls"],
        summary: "list majors, where their programs are, and who uses them",
        load: () => import("../commands/engines-list.js"),
      },
      {
        name: "install",
        summary: "install a major version",
        arguments: [MAJOR],
        load: () => import("../commands/engines-install.js"),
      },
      {
        name: "remove",
        aliases: ["rm"],
        summary: "remove a major version that no service uses",
        arguments: [MAJOR],
        load: () => import("../commands/engines-remove.js"),
      },
    ],
  },
];

export const adminCommands: readonly CommandSpec[] = [
  {
    name: "keys",
    summary: "API keys for the REST API on 127.0.0.1",
    commands: [
      {
        name: "create",
        summary: "make a key; it is shown this once",
        arguments: [{ name: "<name>", description: "what the key is for" }],
        load: () => import("../commands/keys-create.js"),
      },
      { name: "list", aliases: ["ls"], summary: "list the keys", load: () => import("../commands/keys-list.js") },
      {
        name: "revoke",
        aliases: ["rm", "remove"],
        summary: "make a key useless",
        arguments: [{ name: "<key>", description: "number or name of the key" }],
        load: () => import("../commands/keys-revoke.js"),
      },
    ],
  },
  {
    name: "events",
    summary: "what happened, the latest last",
    options: [{ flags: "-n, --lines <count>", description: "how many, the latest", default: "50" }],
    load: () => import("../commands/events.js"),
  },
  {
    name: "doctor",
    summary: "look for what may be wrong on this machine",
    load: () => import("../commands/doctor.js"),
  },
  {
    name: "completion",
    summary: "print a completion script for a shell",
    details: `Put one of these into your shell's start file:
  eval "$(howdah completion bash)"
  eval "$(howdah completion zsh)"
  howdah completion fish | source`,
    arguments: [{ name: "<shell>", description: "bash, zsh or fish", complete: ["bash", "zsh", "fish"] }],
    load: () => import("../commands/completion.js"),
  },
  {
    name: "complete-names",
    summary: "names for completion scripts, one a line; never starts a server and never fails",
    hidden: true,
    arguments: [{ name: "<kind>", description: "services, projects, engines or trash" }],
    load: () => import("../commands/complete-names.js"),
  },
];
