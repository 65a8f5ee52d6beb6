export { acquireLock } from "./lock.js";
export { openStore, type StoreOptions } from "./open-store.js";
export type * from "./types.js";
