import type { Diagnostic, Expression, Stack } from "../../../spec/index.js";
import { type ComposeInput, parseCompose, type ReadResult } from "../index.js";

/** Parses text as /home/user/shop/compose.yaml, with files given by absolute path. */
export function parse(
  text: string,
  options: Partial<Omit<ComposeInput, "dotenv">> & {
    readonly dotenv?: string;
    readonly files?: Readonly<Record<string, string | Uint8Array>>;
  } = {},
) {
  const { dotenv, files = {}, ...rest } = options;
  return parseCompose({
    file: "compose.yaml",
    text,
    folder: "/home/user/shop",
    shell: {},
    reader: { read: (path) => readFrom(files, path) },
    ...rest,
    ...(dotenv === undefined ? {} : { dotenv: { file: ".env", text: dotenv } }),
  });
}

function readFrom(files: Readonly<Record<string, string | Uint8Array>>, path: string): ReadResult {
  const content = files[path];
  if (content !== undefined) return { kind: "file", bytes: Buffer.from(content), executable: path.endsWith(".sh") };
  const names = Object.keys(files).filter((name) => name.startsWith(`${path}/`));
  if (names.length === 0) return { kind: "absent" };
  return { kind: "folder", names: [...new Set(names.map((name) => name.slice(path.length + 1).split("/")[0] ?? ""))] };
}

/** The stack; fails with the errors when there is none. */
export function stackOf(result: { stack: Stack | null; diagnostics: readonly Diagnostic[] }): Stack {
  if (result.stack === null) throw new Error(JSON.stringify(result.diagnostics, null, 2));
  return result.stack;
}

/** `postgres://{%PW}@«database.host»`: `{NAME|fallback}` is a config, `%` its encoding for user info, `•` a secret. */
export function show(expression: Expression | undefined): string {
  return (expression ?? [])
    .map((part) => {
      if (part.kind === "literal") return `${part.sensitive ? "•" : ""}${part.text}`;
      if (part.kind === "service") return `«${part.service}.${part.property}»`;
      const fallback = part.fallback === undefined ? "" : `|${show(part.fallback)}`;
      return `{${part.encode === "userinfo" ? "%" : ""}${part.name}${fallback}}`;
    })
    .join("");
}

export function said(diagnostics: readonly Diagnostic[], code: string): string[] {
  return diagnostics.filter((d) => d.code === code).map((d) => d.message);
}
