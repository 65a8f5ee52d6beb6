/** The part of the door that touches the disk: finds the compose file, reads it and what belongs to it. */
import { isUtf8 } from "node:buffer";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { humanSize } from "../../kernel/sizes.js";
import { parseCompose } from "./parse-compose.js";
import type { ComposeResult, FileReader, ReadResult, TextFile } from "./types.js";

/** The compose specification's order. */
const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
const OVERRIDES = NAMES.map((name) => name.replace(/(\.ya?ml)$/, ".override$1"));
const MAX_FILE_BYTES = 4 * 1024 * 1024;

interface LoadOptions {
  /** Absolute. */
  readonly cwd: string;
  /** What `-f` says: a file, or a folder that holds one. `.env` and relative paths are looked for beside it. */
  readonly file?: string;
  readonly projectName?: string;
  readonly profiles?: readonly string[];
  readonly shell: Readonly<Record<string, string>>;
}

interface LoadedCompose extends ComposeResult {
  /** Absolute path of the file. */
  readonly file: string;
}

/** Absolute path of the compose file of a folder, or undefined. */
export function findComposeFile(folder: string): string | undefined {
  return NAMES.map((name) => join(folder, name)).find((path) => existsSync(path));
}

/** Throws FILE_NOT_FOUND, FILE_UNREADABLE for the compose file itself; everything else is a diagnostic. */
export function loadCompose(options: LoadOptions): LoadedCompose {
  const file = locate(options);
  const folder = dirname(file);
  const shown = (path: string) => shownPath(options.cwd, path);
  const dotenvPath = join(folder, ".env");
  const dotenv = existsSync(dotenvPath) ? { file: shown(dotenvPath), text: readTextFile(dotenvPath) } : undefined;
  const result = parseCompose({
    file: shown(file),
    text: readTextFile(file),
    folder,
    overrides: overridesOf(options, file).map((path): TextFile => ({ file: shown(path), text: readTextFile(path) })),
    ...(dotenv === undefined ? {} : { dotenv }),
    shell: options.shell,
    ...(options.projectName === undefined ? {} : { projectName: options.projectName }),
    ...(options.profiles === undefined ? {} : { profiles: options.profiles }),
    reader: diskReader(folder),
  });
  return { ...result, file };
}

/** Reads below a folder, relative paths starting there. */
export function diskReader(folder: string): FileReader {
  return {
    read(path: string, maxBytes: number): ReadResult {
      const absolute = resolve(folder, path);
      try {
        const status = statSync(absolute);
        if (status.isDirectory()) return { kind: "folder", names: readdirSync(absolute) };
        if (!status.isFile()) return { kind: "unreadable", reason: "it is no regular file" };
        if (status.size > maxBytes) return { kind: "too-large", size: status.size };
        return { kind: "file", bytes: readFileSync(absolute), executable: (status.mode & 0o111) !== 0 };
      } catch (error) {
        const code = errnoOf(error);
        if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
        if (code === undefined) throw error;
        return { kind: "unreadable", reason: code };
      }
    },
  };
}

function locate({ cwd, file }: LoadOptions): string {
  if (file === undefined) {
    // As Docker Compose does, the folders above are searched too.
    for (let folder = resolve(cwd); ; folder = dirname(folder)) {
      const found = findComposeFile(folder);
      if (found !== undefined) return found;
      if (dirname(folder) === folder) break;
    }
    throw new HowdahError("FILE_NOT_FOUND", `there is no compose file in '${cwd}' (${NAMES.join(", ")})`);
  }
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw new HowdahError("FILE_NOT_FOUND", `file '${file}' does not exist`);
  if (!statSync(path).isDirectory()) return path;
  const found = findComposeFile(path);
  if (found !== undefined) return found;
  throw new HowdahError("FILE_NOT_FOUND", `there is no compose file in '${file}' (${NAMES.join(", ")})`);
}

/** As with Docker Compose, a file that was named with `-f` stands alone. */
function overridesOf({ file, cwd }: LoadOptions, main: string): string[] {
  if (file !== undefined && resolve(cwd, file) === main) return [];
  return OVERRIDES.map((name) => join(dirname(main), name))
    .filter((path) => existsSync(path))
    .slice(0, 1);
}

function readTextFile(path: string): string {
  let bytes: Buffer;
  try {
    const status = statSync(path);
    if (status.isFile() && status.size > MAX_FILE_BYTES) {
      throw new HowdahError("FILE_UNREADABLE", `file '${path}' is too large (${humanSize(status.size)})`);
    }
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof HowdahError) throw error;
    throw new HowdahError("FILE_UNREADABLE", `file '${path}' cannot be read (${errnoOf(error) ?? "unknown"})`, {
      cause: error,
    });
  }
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw new HowdahError("FILE_UNREADABLE", `file '${path}' is no UTF-8 text`);
  }
  return bytes.toString("utf8");
}

function shownPath(cwd: string, path: string): string {
  const short = relative(cwd, path);
  return short === "" ? basename(path) : short.startsWith("../../..") ? path : short;
}
