import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";

/** A whole text file. Throws FILE_NOT_FOUND, FILE_UNREADABLE. */
export async function readTextFile(cwd: string, file: string): Promise<string> {
  try {
    return decode(await readFile(resolve(cwd, file)), file);
  } catch (error) {
    if (error instanceof HowdahError) throw error;
    if (errnoOf(error) === "ENOENT") {
      throw new HowdahError("FILE_NOT_FOUND", `file '${file}' does not exist`, { cause: error });
    }
    const why = errnoOf(error) ?? "unknown reason";
    throw new HowdahError("FILE_UNREADABLE", `unable to read '${file}' (${why})`, { cause: error });
  }
}

/** Standard input to its end. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return decode(Buffer.concat(chunks), "standard input");
}

/** Editors and `echo` end the last line; a value seldom means to. One line break is dropped, and only one. */
export function dropFinalLineBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}

function decode(bytes: Buffer, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw new HowdahError("FILE_UNREADABLE", `'${what}' is not UTF-8 text`, { cause: error });
  }
}
