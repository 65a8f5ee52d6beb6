import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildProgram } from "../../src/cli/program.js";
import { blocksOf, commandsOf, documentedPages, firstMissing, mentionsOf, readPage } from "../support/documentation.js";
import { Installation, REPOSITORY } from "../support/installation.js";
import { PageShell } from "../support/page-shell.js";
import { unknownIn } from "../support/spoken-commands.js";

/** Programs that pages use and a machine may lack. */
const FOREIGN = ["psql", "curl", "jq", "openssl"].filter((program) => !isThere(program));

/** What lies in the folder where a page's commands are typed, beyond what the page itself shows. */
const folders: Readonly<Record<string, (folder: string) => void>> = {
  "README.md": checkout,
  "CONTRIBUTING.md": checkout,
  "docs/guides/cli.md": (folder) => {
    example(folder);
    writeFileSync(join(folder, "schema.sql"), "create table orders (id int);\n");
  },
  "docs/guides/compose.md": (folder) => {
    const [compose] = blocksOf(readPage("docs/guides/compose.md")).filter((b) => b.language === "yaml");
    writeFileSync(join(folder, "compose.yaml"), `${compose?.lines.join("\n")}\n`);
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ scripts: { start: "node -e 'new URL(process.env.CONNECTURL)'" } }),
    );
  },
  "examples/compose/README.md": example,
};

function checkout(folder: string): void {
  cpSync(join(REPOSITORY, "examples"), join(folder, "examples"), { recursive: true });
}

function example(folder: string): void {
  cpSync(join(REPOSITORY, "examples/compose"), folder, { recursive: true });
  // app.mjs wants 'pg', as the page says.
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
}

function isThere(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}

function loudly(page: string, line: number, command: string, reason: string): void {
  process.stderr.write(`NOT RUN  ${page}:${line}  ${command.split("\n")[0]}\n         because ${reason}\n`);
}

describe("what the pages tell to type", () => {
  it.each(documentedPages())("works: %s", async (page) => {
    const commands = commandsOf(readPage(page));
    if (commands.length === 0) return;
    await using installation = new Installation();
    const cwd = join(installation.folder, "hello");
    mkdirSync(cwd);
    folders[page]?.(cwd);
    await using shell = new PageShell(installation, cwd);
    for (const { line, command, output, exitCode, notRun } of commands) {
      const absent = FOREIGN.find((program) => new RegExp(`(^|[\\s|(])${program}\\s`, "m").test(command));
      const reason = notRun ?? (absent === undefined ? undefined : `this machine has no ${absent}`);
      if (reason !== undefined) {
        loudly(page, line, command, reason);
        continue;
      }
      const result = await shell.run(command);
      const told = `${page}:${line}: ${command}\n${result.stdout}${result.stderr}`;
      expect(result.code, `${told}\n${installation.serverLog()}`).toBe(exitCode);
      expect(firstMissing(output, `${result.stderr}\n${result.stdout}`), `${told}\nlacks the documented line`).toBe(
        undefined,
      );
    }
  });

  it.each([...documentedPages(), "ARCHITECTURE.md"])("exists: %s", (page) => {
    const program = buildProgram();
    const text = readPage(page);
    const spoken = [...mentionsOf(text), ...(page === "ARCHITECTURE.md" ? [] : commandsOf(text))];
    const unknown = spoken.flatMap(({ line, command }) =>
      unknownIn(program, command).map((what) => `${page}:${line}: ${what}`),
    );
    expect(unknown).toEqual([]);
  });

  it("exists: what messages and hints name", () => {
    const program = buildProgram();
    const sources = readdirSync(join(REPOSITORY, "packages/howdah/src"), { recursive: true, encoding: "utf8" }).filter(
      (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
    );
    const spoken = sources.flatMap((name) => {
      const text = readFileSync(join(REPOSITORY, "packages/howdah/src", name), "utf8").replaceAll(/\$\{[^}]*\}/g, "X");
      return [...text.matchAll(/'(?:npx )?(howdah [^'\n]*)'/g)].map((m) => ({ name, command: m[1] ?? "" }));
    });
    expect(spoken.length).toBeGreaterThan(50);
    expect(spoken.flatMap(({ name, command }) => unknownIn(program, command).map((w) => `${name}: ${w}`))).toEqual([]);
  });
});

describe("the check of pages", () => {
  const program = buildProgram();

  it("finds commands and options that do not exist", () => {
    expect(unknownIn(program, "howdah services list --json && npx howdah up -f x.yaml")).toEqual([]);
    expect(unknownIn(program, "howdah services prune")).toHaveLength(1);
    expect(unknownIn(program, 'psql "$(howdah service uri database)"')).toHaveLength(1);
    expect(unknownIn(program, "howdah up --detach")).toHaveLength(1);
    expect(unknownIn(program, "howdah run app -- npm start --detach")).toEqual([]);
    expect(mentionsOf("see `npx howdah prune`\n```sh\nhowdah up\n```\n").map((m) => m.command)).toEqual([
      "howdah prune",
    ]);
  });

  it("reads commands with their remarks, and refuses remarks that fit nothing", () => {
    const page = "<!-- not run: `b`: why -->\n```sh\na \\\n  1 # x\n# only a comment\nb 2\n```\n";
    expect(commandsOf(page)).toEqual([
      { line: 3, command: "a \\\n  1 # x", output: [], exitCode: 0, notRun: undefined },
      { line: 6, command: "b 2", output: [], exitCode: 0, notRun: "why" },
    ]);
    const console = "<!-- exit code 3 -->\n```console\n$ a\none\ntwo\n```\n";
    expect(commandsOf(console)).toMatchObject([{ command: "a", output: ["one", "two"], exitCode: 3 }]);
    expect(() => commandsOf("<!-- not run: `c`: why -->\n```sh\na\n```\n")).toThrow("fits no command");
    expect(() => commandsOf("<!-- later -->\n```sh\na\n```\n")).toThrow("neither");
    expect(() => commandsOf("```\nhowdah up\n```\n")).toThrow("without a language");
  });

  it("compares output by its shape", () => {
    const actual = "Port  5433\nat /home/x/compose.yaml\ndone";
    expect(firstMissing(["Port 5432", "done"], actual)).toBe(undefined);
    expect(firstMissing(["at /srv/y.yaml"], actual)).toBe(undefined);
    expect(firstMissing(["Po…"], actual)).toBe(undefined);
    expect(firstMissing(["done", "Port 5432"], actual)).toBe("Port N");
    expect(firstMissing(["gone"], actual)).toBe("gone");
  });
});
