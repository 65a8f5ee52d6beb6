/** The compose door: `compose.yaml` → Stack. */
export { findComposeFile, loadCompose } from "./load-compose.js";
export { parseCompose } from "./parse-compose.js";
export type { ComposeInput, ComposeResult, ReadResult } from "./types.js";
