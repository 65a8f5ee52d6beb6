import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandTree } from "../tree/index.js";
import { completionScript } from "./index.js";
import { completionNodes } from "./model.js";

const has = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0;

describe("the model", () => {
  it("knows every command but the hidden one, with its options and what they take", () => {
    const nodes = completionNodes(commandTree);
    expect(nodes.some((node) => node.path.includes("complete-names"))).toBe(false);
    const show = nodes.find((node) => node.path === "/services/show");
    expect(show?.words).toEqual(["show", "get"]);
    expect(show?.positions).toEqual(["services"]);
    expect(show?.options.map((option) => [option.long, option.takesValue])).toEqual([
      ["--id", true],
      ["--project", true],
      ["--reveal", false],
      ["--json", false],
      ["--help", false],
    ]);
    for (const node of nodes) for (const option of node.options) expect(option.long).toMatch(/^--[a-z-]+$/);
  });
});

describe.skipIf(!has("bash"))("bash (skipped where bash is missing)", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "howdah-completion-"));
    // Stands for the program: answers what the completion asks it for.
    const program = `#!/bin/sh\n[ "$1" = complete-names ] && case $2 in services) echo main; echo shop-db;; projects) echo shop;; esac\n`;
    writeFileSync(join(folder, "howdah"), program);
    chmodSync(join(folder, "howdah"), 0o755);
    writeFileSync(join(folder, "script"), completionScript("bash", commandTree));
    writeFileSync(join(folder, "values.env"), "");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What the tab key offers behind these words. */
  function complete(...words: string[]): string[] {
    const script = `source ./script
COMP_WORDS=(howdah "$@")
COMP_CWORD=$#
_howdah
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const text = execFileSync("bash", ["--norc", "-c", script, "bash", ...words], {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: `${folder}:/usr/bin:/bin` },
    });
    return text.split("\n").filter((line) => line !== "");
  }

  it("offers commands, their subcommands and options", () => {
    expect(complete("serv")).toEqual(["services", "server"]);
    expect(complete("services", "re")).toEqual(["restart", "remove", "restore-removed"]);
    expect(complete("service", "rest")).toEqual(["restart", "restore-removed"]);
    expect(complete("services", "show", "--r")).toEqual(["--reveal"]);
    expect(complete("up", "--d")).toEqual(["--dry-run"]);
  });

  it("offers names that the server knows, behind options and their values, too", () => {
    expect(complete("services", "url", "")).toEqual(["main", "shop-db"]);
    expect(complete("services", "logs", "-n", "5", "-f", "ma")).toEqual(["main"]);
    expect(complete("services", "list", "-p", "")).toEqual(["shop"]);
    expect(complete("--json", "psql", "sh")).toEqual(["shop-db"]);
  });

  it("offers fixed values and files where they belong, and nothing behind --", () => {
    expect(complete("env", "app", "--format", "")).toEqual(["dotenv", "json", "shell"]);
    expect(complete("completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(complete("config", "set", "--env-file", "val")).toEqual(["values.env"]);
    expect(complete("run", "app", "--", "services", "")).toEqual([]);
    expect(complete("services", "show", "main", "")).toEqual([]);
  });
});

describe.each(["zsh", "fish"] as const)("%s (skipped where it is missing)", (shell) => {
  it.skipIf(!has(shell))("can read its script", () => {
    const folder = mkdtempSync(join(tmpdir(), "howdah-completion-"));
    const script = join(folder, "script");
    writeFileSync(script, completionScript(shell, commandTree));
    // A file, not standard input: fish reads nothing from there with this option.
    execFileSync(shell, [shell === "zsh" ? "-n" : "--no-execute", script]);
    rmSync(folder, { recursive: true });
  });
});

describe.skipIf(!has("fish"))("fish (skipped where it is missing)", () => {
  it("offers commands and options with what they are for", () => {
    const ask = (line: string) =>
      execFileSync("fish", ["--no-config", "-c", `source (echo $argv[1] | psub); complete -C "${line}"`, completion], {
        encoding: "utf8",
      });
    const completion = completionScript("fish", commandTree);
    expect(ask("howdah serv")).toMatch(/^server\t.+\nservices\t.+\n$/);
    expect(ask("howdah services show --r")).toMatch(/^--reveal\t/);
  });
});
