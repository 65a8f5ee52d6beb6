export * from "./cluster/index.js";
export * from "./distribution/index.js";
export * from "./role/index.js";
export * from "./script/index.js";
export * from "./server/index.js";
export * from "./settings/index.js";
export * from "./sleep/index.js";
export type * from "./types.js";
