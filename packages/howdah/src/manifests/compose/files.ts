import { isUtf8 } from "node:buffer";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { Place } from "../../kernel/errors.js";
import { humanSize } from "../../kernel/sizes.js";
import type { Context } from "./context.js";
import type { ReadResult, TextFile } from "./types.js";

/** Far above any real env_file or secret; keeps a mistaken path from filling the memory. */
const MAX_TEXT_BYTES = 1024 * 1024;

/** A host path as compose understands it: relative to the project folder, `~` is the user's home. */
export function hostPath(context: Context, path: string): string {
  if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
  return isAbsolute(path) ? path : resolve(context.folder, path);
}

/** What diagnostics call a file: as the user wrote it. */
export function describeFailure(path: string, result: Exclude<ReadResult, { kind: "file" }>): string {
  switch (result.kind) {
    case "absent":
      return `file '${path}' does not exist`;
    case "folder":
      return `'${path}' is a folder, not a file`;
    case "too-large":
      return `file '${path}' is too large (${humanSize(result.size)})`;
    case "unreadable":
      return `file '${path}' cannot be read (${result.reason})`;
  }
}

/** Reads a text file that the compose file names; a failure is an error in the report. */
export function readText(context: Context, path: string, place: Place, optional = false): TextFile | undefined {
  const result = context.reader.read(hostPath(context, path), MAX_TEXT_BYTES);
  if (result.kind === "absent" && optional) return undefined;
  if (result.kind !== "file") {
    context.report.error("file-unreadable", describeFailure(path, result), place);
    return undefined;
  }
  if (!isUtf8(result.bytes) || result.bytes.includes(0)) {
    context.report.error("file-unreadable", `file '${path}' is no UTF-8 text`, place);
    return undefined;
  }
  return { file: path, text: Buffer.from(result.bytes).toString("utf8") };
}
