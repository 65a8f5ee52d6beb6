export type { Limits } from "./limits.js";
export { type Refusal, Sessions, type SessionsOptions } from "./sessions.js";
