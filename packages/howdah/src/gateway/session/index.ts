export { type Refusal, Sessions, type SessionsOptions } from "./sessions.js";
