export { findComposeFile, type LoadedCompose, type LoadOptions, loadCompose } from "./load-compose.js";
export { parseCompose } from "./parse-compose.js";
export type { ComposeInput, ComposeResult, FileReader, ReadResult, TextFile } from "./types.js";
