export { createClient } from "./client.js";
export type { Target } from "./transport.js";
export type * from "./types.js";
