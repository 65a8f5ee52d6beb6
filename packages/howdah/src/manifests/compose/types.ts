import type { Place } from "../../kernel/errors.js";
import type { Diagnostic, Stack } from "../../spec/index.js";

/** A text file as the user knows it: the path is shown in diagnostics. */
export interface TextFile {
  readonly file: string;
  readonly text: string;
}

export type ReadResult =
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly executable: boolean }
  | { readonly kind: "folder"; readonly names: readonly string[] }
  | { readonly kind: "absent" }
  | { readonly kind: "too-large"; readonly size: number }
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * What the parser may ask of the file system, and nothing else: env_file, secrets, init scripts. Synchronous and
 * without exceptions, so that parsing stays a pure function of its input.
 */
export interface FileReader {
  /** `path` is absolute, or relative to the project folder. Files above `maxBytes` are not read. */
  read(path: string, maxBytes: number): ReadResult;
}

export interface ComposeInput extends TextFile {
  /** Absolute path of the folder that relative paths start from; its name is the last choice for the project's name. */
  readonly folder: string;
  /** Merged over the main file in their order, as `compose.override.yaml` is. */
  readonly overrides?: readonly TextFile[];
  readonly dotenv?: TextFile;
  /** The user's shell; only to warn that a variable of it is ignored. */
  readonly shell: Readonly<Record<string, string>>;
  /** What `-p` says. */
  readonly projectName?: string;
  /** Active profiles besides those of COMPOSE_PROFILES in `.env`; `*` is all. */
  readonly profiles?: readonly string[];
  readonly reader: FileReader;
}

export interface ComposeResult {
  /** null when a diagnostic is an error. */
  readonly stack: Stack | null;
  /** Known even where an error elsewhere in the file leaves no stack; null when the file cannot be read at all. */
  readonly project: string | null;
  /** Where a service of the stack (`database`) and its parts (`database.port`, `.image`, `.command`) stand, for what is only
   *  found out later: a port that is taken, a version that cannot be. */
  readonly places: Readonly<Record<string, Place>>;
  /** In the order of files, lines and columns. */
  readonly diagnostics: readonly Diagnostic[];
}
