/** Whether the `howdah …` commands in a piece of text exist, without running them. */
import type { Command } from "commander";

/** The words after `howdah` up to where the shell takes over; placeholders such as NAME and … are words like others. */
const SPOKEN = /(?:^|[\s;&|("'`])howdah((?:[ \t]+(?:\\\n\s*)?[^\s;&|)#"'`]+|[ \t]+(?:"[^"]*"|'[^']*'))*)/g;

/** What is not there: unknown commands and options, in words. Empty when all is well. */
export function unknownIn(program: Command, text: string): string[] {
  return [...text.matchAll(SPOKEN)].flatMap((match) => {
    const words = (match[1] ?? "").split(/[\s\\]+/).filter((word) => word !== "");
    const problem = check(program, words);
    return problem === undefined ? [] : [`'howdah ${words.join(" ")}': ${problem}`];
  });
}

function check(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  const options = [...program.options];
  for (const word of words) {
    if (word === "--") return undefined;
    if (word.startsWith("-")) {
      const flag = word.split("=")[0] ?? word;
      const known = ["-h", "--help", "-V", "--version", "--json"].includes(flag);
      if (!known && !options.some((o) => o.long === flag || o.short === flag)) return `no option '${flag}'`;
      continue;
    }
    if (command.commands.length === 0) continue;
    // In running text: `howdah services …` and `howdah up|down` are ways to speak of several.
    if (/^[….]+$/.test(word)) return undefined;
    const next = command.commands.find((c) => c.name() === word || c.aliases().includes(word));
    if (next === undefined) return `no command '${word}'`;
    command = next;
    options.push(...next.options);
  }
  return undefined;
}
