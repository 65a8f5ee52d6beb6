export { acquireLock } from "./lock.js";
export { openStore } from "./open-store.js";
export type * from "./types.js";
