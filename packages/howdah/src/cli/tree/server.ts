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
      details: `The gateway goes on as well: databases that are awake answer as before, to roles that have logged in before. Other roles,
and clients of databases that sleep, wait until the server is back.`,
      options: [{ flags: "--all", description: "end every PostgreSQL server and the gateway, too" }],
      load: () => import("../commands/server-stop.js"),
    },
    {
      name: "restart",
      summary: "start the server and the gateway anew, as after an upgrade",
      details: `No connection is touched: PostgreSQL servers go on, clients that come meanwhile wait, and the old gateway serves the
connections that it has to their end.`,
      load: () => import("../commands/server-restart.js"),
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
      name: "ca",
      summary: "print the certificate of this installation's authority, for clients' sslrootcert",
      details: "Clients that connect with sslmode=verify-full sslrootcert=FILE know the server by it.",
      options: [{ flags: "--out <file>", description: "write it to this file instead", complete: "files" }],
      load: () => import("../commands/server-ca.js"),
    },
    {
      name: "certificate",
      summary: "what endpoints with TLS present",
      commands: [
        {
          name: "show",
          summary: "say whose it is, its names, and until when it is valid",
          load: () => import("../commands/server-certificate-show.js"),
        },
        {
          name: "set",
          summary: "present a certificate of your own",
          details: "ECDSA or RSA, in PEM, the chain behind the server's certificate. Open connections go on.",
          options: [
            { flags: "--cert <file>", description: "the certificate with its chain", complete: "files" },
            { flags: "--key <file>", description: "its private key, without a passphrase", complete: "files" },
          ],
          load: () => import("../commands/server-certificate-set.js"),
        },
        {
          name: "reset",
          summary: "present the certificate that the installation issues",
          load: () => import("../commands/server-certificate-reset.js"),
        },
      ],
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
