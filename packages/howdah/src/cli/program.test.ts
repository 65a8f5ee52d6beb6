import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import type { CommandSpec } from "./command.js";
import { buildProgram } from "./program.js";
import { commandTree } from "./tree/index.js";

/** What an action would have been called with. */
async function parse(...words: string[]) {
  const calls: { args: string[]; options: object }[] = [];
  const program = buildProgram({
    version: "1.2.3",
    output: { writeOut: () => undefined, writeErr: () => undefined, outputError: () => undefined },
    runAction: async (_load, args, options) => {
      calls.push({ args, options: { ...options } });
    },
  });
  await program.parseAsync(words, { from: "user" });
  return calls[0];
}

function leaves(specs: readonly CommandSpec[], path: string[] = []): { path: string[]; spec: CommandSpec }[] {
  return specs.flatMap((spec) => {
    const here = [...path, spec.name];
    return spec.commands === undefined ? [{ path: here, spec }] : leaves(spec.commands, here);
  });
}

describe("the command tree", () => {
  it("has every command of the first release", () => {
    const paths = leaves(commandTree).map(({ path }) => path.join(" "));
    expect(paths).toEqual([
      ...["up", "plan", "down", "config set", "config ls", "config rm", "env", "run"],
      ...[
        "create",
        "list",
        "show",
        "url",
        "connections",
        "start",
        "stop",
        "restart",
        "update",
        "logs",
        "events",
        "remove",
      ].map((verb) => `services ${verb}`),
      ...["services restore-removed", "psql", "engines list", "engines install", "engines remove"],
      ...[
        "server start",
        "server stop",
        "server restart",
        "server status",
        "server run",
        "server install",
        "server uninstall",
      ],
      ...["server ca", "server certificate show", "server certificate set", "server certificate reset"],
      ...["server key export", "keys create", "keys list", "keys revoke", "events", "doctor", "completion"],
      "complete-names",
    ]);
  });

  it("loads a module with an action for each of them", async () => {
    for (const { path, spec } of leaves(commandTree)) {
      const module = await spec.load?.();
      expect({ path, run: typeof module?.run }).toEqual({ path, run: "function" });
    }
  });

  it("takes --json anywhere", async () => {
    for (const words of [
      ["--json", "services", "list"],
      ["services", "--json", "list"],
      ["services", "list", "--json"],
    ]) {
      expect(await parse(...words)).toEqual({ args: [], options: {} });
    }
  });
});

describe("parsing", () => {
  it("keeps what stands behind -- for the command that is run", async () => {
    expect(await parse("run", "-p", "shop", "app", "--", "npm", "start", "-p", "1", "--json")).toEqual({
      args: ["app", "npm", "start", "-p", "1", "--json"],
      options: { project: "shop" },
    });
    expect(await parse("psql", "main", "--", "-c", "select 1")).toEqual({
      args: ["main", "-c", "select 1"],
      options: {},
    });
  });

  it("collects repeated parameters", async () => {
    const call = await parse("services", "create", "-t", "postgres", "-n", "db", "-s", "a=1", "-s", "b=2", "-y");
    expect(call?.options).toEqual({
      type: "postgres",
      name: "db",
      set: ["a=1", "b=2"],
      yes: true,
      wait: true,
      timeout: "5m",
    });
  });

  it("knows the aliases of config set and the short form of remove", async () => {
    for (const verb of ["set", "create", "add", "put"]) {
      expect(await parse("config", verb, "A=1")).toEqual({ args: ["A=1"], options: {} });
    }
    expect((await parse("services", "remove", "--id", "7", "-f"))?.options).toMatchObject({ id: "7", force: true });
  });

  it.each([
    [["services", "list", "--nope"], "unknown option '--nope'"],
    [["servces"], "unknown command 'servces'"],
    [["env"], "missing required argument 'name'"],
    [["env", "a", "b"], "too many arguments for 'env'. Expected 1 argument but got 2"],
    [["env", "a", "--format", "xml"], "'--format <format>' argument 'xml' is invalid"],
    [["config", "set", "A", "--random", "--env"], "cannot be used with option"],
    [["config", "set", "--env-file", "f", "--random"], "cannot be used with option"],
  ])("refuses %j", async (words, message) => {
    const error = await parse(...words).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommanderError);
    expect(String(error)).toContain(message);
  });
});
