export { createControl } from "./control.js";
export type * from "./types.js";
