export * from "./diagnostic.js";
export * from "./endpoint.js";
export * from "./expression.js";
export * from "./image.js";
export * from "./plan.js";
export * from "./role-secret.js";
export * from "./service.js";
export * from "./stack.js";
