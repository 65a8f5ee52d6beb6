import type { CommandModule, CommandSpec } from "../command.js";
import { BY_ID, NARROW, NO_WAIT, SERVICE, timeout, YES } from "../shared-options.js";

const SET = "-s, --set <key=value>";

const POLICY = `  mode=regular|flash     flash: the server sleeps when no client is connected, and wakes on connect
  timeout=3s             with mode=flash: how long without a client until it sleeps (10s)
  listen=ADDRESS         where it listens (127.0.0.1); 0.0.0.0 is every address. Beyond this machine it needs TLS
  ssl=off|allow|require  TLS (off on this machine, require beyond)
  allow=NETWORK,…        which clients may come, such as 10.0.0.0/8,192.168.1.7 (any)
  hold=30s               how long a client waits while the server wakes or restarts (1m)`;

function power(name: string, summary: string, load: () => Promise<CommandModule["run"]>): CommandSpec {
  return {
    name,
    summary,
    arguments: [SERVICE],
    options: [BY_ID, NARROW, NO_WAIT, timeout("60s")],
    load: async () => ({ run: await load() }),
  };
}

export const servicesCommand: CommandSpec = {
  name: "services",
  aliases: ["service"],
  summary: "create and look after single PostgreSQL servers",
  commands: [
    {
      name: "create",
      summary: "create a PostgreSQL server, and wait until it answers",
      details: `Parameters (-s): version, database, username, password (made up when absent), port, memory,
max_connections, initdb_args, docker_image, engine, set.NAME for any setting of PostgreSQL, and
${POLICY}

Examples:
  howdah services create -t postgres -n main
  howdah services create -t postgres -n main -s mode=flash -s timeout=3
  howdah services create -t postgres -n main -s version=17 -s database=shop -s set.work_mem=64MB`,
      options: [
        { flags: "-t, --type <type>", description: "kind of service", default: "postgres", choices: ["postgres"] },
        { flags: "-n, --name <name>", description: "name, unique within its project" },
        { flags: SET, description: "a parameter", repeatable: true },
        { flags: "-p, --project <project>", description: "project that it belongs to", complete: "projects" },
        YES,
        NO_WAIT,
        timeout("5m"),
      ],
      load: () => import("../commands/services-create.js"),
    },
    {
      name: "list",
      aliases: ["ls"],
      summary: "list every service",
      options: [{ ...NARROW, description: "only those of this project" }],
      load: () => import("../commands/services-list.js"),
    },
    {
      name: "show",
      aliases: ["get"],
      summary: "show one service: state, sleep, endpoint, parameters",
      arguments: [SERVICE],
      options: [BY_ID, NARROW, { flags: "--reveal", description: "show the password" }],
      load: () => import("../commands/services-show.js"),
    },
    {
      name: "url",
      summary: "print the connection URL, with its password",
      details: `Example:\n  psql "$(howdah services url main)"`,
      arguments: [SERVICE],
      options: [BY_ID, NARROW],
      load: () => import("../commands/services-url.js"),
    },
    {
      name: "connections",
      summary: "who is connected to a service, or to any",
      details: `PostgreSQL itself sees every client as [local]; here are its backends (PID, as in pg_stat_activity) with the
addresses they serve. Nothing is woken by looking.`,
      arguments: [SERVICE],
      options: [BY_ID, NARROW],
      load: () => import("../commands/services-connections.js"),
    },
    power("start", "start a service", async () => (await import("../commands/services-power.js")).start),
    power("stop", "stop a service; its data stays", async () => (await import("../commands/services-power.js")).stop),
    power("restart", "stop and start a service", async () => (await import("../commands/services-power.js")).restart),
    {
      name: "update",
      summary: "change parameters of a service",
      details: `What needs a restart of PostgreSQL restarts it; clients are held meanwhile, those that are connected lose their
connection. An empty value takes a setting away: -s set.work_mem=

Parameters (-s) are those of create, among them
${POLICY}

Examples:
  howdah services update main -s mode=flash -s timeout=2m
  howdah services update main -s listen=0.0.0.0 -s allow=10.0.0.0/8`,
      arguments: [SERVICE],
      options: [
        BY_ID,
        NARROW,
        { flags: SET, description: "a parameter, as in create", repeatable: true },
        NO_WAIT,
        timeout("60s"),
      ],
      load: () => import("../commands/services-update.js"),
    },
    {
      name: "logs",
      summary: "print the server's log",
      arguments: [SERVICE],
      options: [
        BY_ID,
        NARROW,
        { flags: "-f, --follow", description: "go on until interrupted" },
        { flags: "-n, --lines <count>", description: "how many lines from its end", default: "100" },
      ],
      load: () => import("../commands/services-logs.js"),
    },
    {
      name: "events",
      summary: "what happened to a service, or to all of them",
      arguments: [SERVICE],
      options: [BY_ID, NARROW, { flags: "-n, --lines <count>", description: "how many, the latest", default: "50" }],
      load: () => import("../commands/services-events.js"),
    },
    {
      name: "remove",
      aliases: ["rm", "delete"],
      summary: "remove a service; it stays in the trash for 7 days",
      details: "On a terminal the name has to be typed; elsewhere --yes is needed.",
      arguments: [SERVICE],
      options: [
        BY_ID,
        NARROW,
        YES,
        { flags: "-f, --force", description: "the same as --yes" },
        NO_WAIT,
        timeout("60s"),
      ],
      load: () => import("../commands/services-remove.js"),
    },
    {
      name: "restore-removed",
      summary: "bring a removed service back, or list what can be brought back",
      arguments: [
        { name: "[name]", description: "name, project/name or number of a removed service", complete: "trash" },
      ],
      options: [
        { flags: "--id <number>", description: "its number, instead of its name" },
        { flags: "--as <name>", description: "a new name, when the old one is taken" },
        NO_WAIT,
        timeout("60s"),
      ],
      load: () => import("../commands/services-restore-removed.js"),
    },
  ],
};
