import type { CommandSpec } from "../command.js";

const USER = {
  flags: "--user",
  description: "a unit of this user's own systemd (the default unless root)",
};

export const serverCommand: CommandSpec = {
  name: "server",
  summary: "the background process that looks after the services",
  commands: [
    {
      name: "start",
      summary: "start the server in the background, unless it runs",
      details: "Other commands do this by themselves when no server answers.",
      load: () => import("../commands/server-start.js"),
    },
    {
      name: "stop",
      summary: "end the server; PostgreSQL servers go on without it",
      options: [{ flags: "--all", description: "end every PostgreSQL server first" }],
      load: () => import("../commands/server-stop.js"),
    },
    {
      name: "status",
      summary: "say whether the server runs, and where",
      load: () => import("../commands/server-status.js"),
    },
    {
      name: "run",
      summary: "run the server in the foreground, for systemd and containers",
      load: () => import("../commands/server-run.js"),
    },
    {
      name: "install",
      summary: "have systemd start the server with the machine, and keep it running",
      options: [USER, { flags: "--print", description: "print the unit and do nothing" }],
      load: () => import("../commands/server-install.js"),
    },
    {
      name: "uninstall",
      summary: "take the systemd unit away; services and data stay",
      options: [USER],
      load: () => import("../commands/server-uninstall.js"),
    },
    {
      name: "key",
      summary: "the key that encrypts stored secrets",
      commands: [
        {
          name: "export",
          summary: "print the recovery key: keep it where this machine's disk is not",
          load: () => import("../commands/server-key-export.js"),
        },
      ],
    },
  ],
};
