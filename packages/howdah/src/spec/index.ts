export * from "./diagnostic.js";
export * from "./expression.js";
export * from "./plan.js";
export * from "./service.js";
export * from "./stack.js";
