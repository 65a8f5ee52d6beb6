/**
 * What the pages tell people to type. Pages rot: a command is renamed, an option goes, an order no longer works. So the
 * test takes the commands from the pages themselves, and what it cannot run has to be named, with the reason, on the page.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./installation.js";

/** One thing to type, with the lines that the page shows as its output (empty where it shows none). */
export interface DocumentedCommand {
  readonly line: number;
  readonly command: string;
  readonly output: readonly string[];
  readonly exitCode: number;
  /** The reason of a `<!-- not run: … -->`; such a command is not run. */
  readonly notRun: string | undefined;
}

export interface Block {
  readonly line: number;
  readonly language: string;
  readonly lines: readonly string[];
  /** The comments right above the block, without their brackets. */
  readonly remarks: readonly string[];
}

/** Every page for people who use or build Howdah, by its path in the repository. */
export function documentedPages(): string[] {
  const guides = readdirSync(join(REPOSITORY, "docs/guides")).map((name) => `docs/guides/${name}`);
  const examples = readdirSync(join(REPOSITORY, "examples"), { recursive: true, encoding: "utf8" })
    .filter((name) => !name.includes("node_modules"))
    .map((name) => `examples/${name}`);
  return ["README.md", "CONTRIBUTING.md", ...guides.sort(), ...examples.sort()].filter(
    (page) => page.endsWith(".md") && existsSync(join(REPOSITORY, page)),
  );
}

export function readPage(page: string): string {
  return readFileSync(join(REPOSITORY, page), "utf8");
}

/** The fenced blocks of a page, also the indented ones of lists. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let remarks: string[] = [];
  let open: { line: number; language: string; indent: number; lines: string[]; remarks: string[] } | undefined;
  for (const [index, whole] of text.split("\n").entries()) {
    const fence = /^( *)```(\w*)/.exec(whole);
    if (open !== undefined) {
      if (fence === null) {
        open.lines.push(whole.slice(open.indent));
      } else {
        blocks.push(open);
        open = undefined;
      }
      continue;
    }
    const remark = /^ *<!-- (.*) -->$/.exec(whole)?.[1];
    if (remark !== undefined) {
      remarks.push(remark);
    } else if (fence !== null) {
      open = { line: index + 2, language: fence[2] ?? "", indent: fence[1]?.length ?? 0, lines: [], remarks };
      remarks = [];
    } else if (whole.trim() !== "") {
      remarks = [];
    }
  }
  if (open !== undefined) throw new Error(`the block that begins at line ${open.line - 1} has no end`);
  return blocks;
}

/**
 * The commands of the `sh` and `console` blocks, in order. Above a block may stand
 *
 *     <!-- not run: reason -->                       nothing of the block is run
 *     <!-- not run: `howdah server run`: reason -->  what begins so is not run
 *     <!-- exit code 3 -->                           what the block's commands end with, instead of 0
 *
 * Throws where a remark fits nothing, or where commands stand in a block without a language: they would not be seen.
 */
export function commandsOf(text: string): DocumentedCommand[] {
  return blocksOf(text).flatMap((block) => {
    const isShell = block.language === "sh" || block.language === "console";
    if (!isShell) {
      const hidden = block.language === "" && block.lines.some((l) => /^(\$ )?(npx )?howdah /.test(l));
      if (hidden) throw new Error(`line ${block.line}: commands in a block without a language; write \`\`\`sh`);
      return [];
    }
    const remarks = block.remarks.map(parseRemark);
    const typed = block.language === "sh" ? fromScript(block) : fromConsole(block);
    for (const { prefix } of remarks) {
      if (prefix !== undefined && !typed.some((t) => t.command.startsWith(prefix)))
        throw new Error(`line ${block.line}: the remark about '${prefix}' fits no command of this block`);
    }
    return typed.map((t) => {
      const about = remarks.filter((r) => r.prefix === undefined || t.command.startsWith(r.prefix));
      return {
        ...t,
        exitCode: about.find((r) => r.exitCode !== undefined)?.exitCode ?? 0,
        notRun: about.find((r) => r.notRun !== undefined)?.notRun,
      };
    });
  });
}

interface Remark {
  readonly prefix?: string | undefined;
  readonly exitCode?: number;
  readonly notRun?: string | undefined;
}

function parseRemark(remark: string): Remark {
  const notRun = /^not run: (?:`([^`]+)`: )?(.+)$/.exec(remark);
  if (notRun !== null) return { prefix: notRun[1], notRun: notRun[2] };
  const exitCode = /^exit code (\d+)$/.exec(remark)?.[1];
  if (exitCode !== undefined) return { exitCode: Number(exitCode) };
  throw new Error(`'<!-- ${remark} -->' above a block: neither 'not run: …' nor 'exit code N'`);
}

type Typed = Pick<DocumentedCommand, "line" | "command" | "output">;

function fromScript(block: Block): Typed[] {
  const typed: Typed[] = [];
  let parts: string[] = [];
  for (const [index, line] of block.lines.entries()) {
    parts.push(line);
    if (line.endsWith("\\")) continue;
    const command = parts.join("\n");
    if (/\S/.test(command) && !/^\s*#/.test(command)) {
      typed.push({ line: block.line + index - parts.length + 1, command, output: [] });
    }
    parts = [];
  }
  return typed;
}

function fromConsole(block: Block): Typed[] {
  const typed: { line: number; command: string; output: string[] }[] = [];
  for (const [index, line] of block.lines.entries()) {
    const last = typed.at(-1);
    if (line.startsWith("$ ")) typed.push({ line: block.line + index, command: line.slice(2), output: [] });
    else if (last === undefined) throw new Error(`line ${block.line}: a 'console' block begins with '$ '`);
    else if (last.output.length === 0 && last.command.endsWith("\\")) last.command += `\n${line}`;
    else last.output.push(line);
  }
  return typed;
}

/** What stands between backticks in the running text and begins with `howdah`. */
export function mentionsOf(text: string): { line: number; command: string }[] {
  const blocks = blocksOf(text).flatMap((b) => b.lines.map((_, i) => b.line + i));
  const inBlock = new Set(blocks);
  const kept = text.split("\n").map((line, i) => (inBlock.has(i + 1) ? "" : line));
  return [...kept.join("\n").matchAll(/`(?:npx )?(howdah(?:\s[^`]*)?)`/g)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length,
    command: (match[1] ?? "").replaceAll(/\s+/g, " "),
  }));
}

/** Text without what differs from machine to machine: numbers, ids, times, paths, widths. */
function shapeOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) =>
      line
        .replaceAll(/(?<![\w.])(?:\/[\w.@+-]+)+\/?/g, "PATH")
        .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|(?<=\b|_)[0-9a-f]{16,}\b/g, "ID")
        .replaceAll(/\d+(?:\.\d+)*/g, "N")
        .replaceAll(/[-+|]{3,}/g, "---")
        .replaceAll(/\s+/g, " ")
        .trim(),
    )
    .filter((line) => line !== "");
}

/** The first documented line that the actual output lacks, in order; undefined where all are there. A documented `…` at
 *  the end of a line stands for the rest of it, and the output may have further lines in between. */
export function firstMissing(documented: readonly string[], actual: string): string | undefined {
  const lines = shapeOf(actual);
  let at = 0;
  for (const wanted of shapeOf(documented.join("\n"))) {
    if (wanted === "…") continue;
    const fits = (line: string) =>
      wanted.endsWith("…") ? line.startsWith(wanted.slice(0, -1).trim()) : line === wanted;
    const found = lines.slice(at).findIndex(fits);
    if (found < 0) return wanted;
    at += found + 1;
  }
  return undefined;
}
