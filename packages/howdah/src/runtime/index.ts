export { prepareHome, prepareServiceFolders } from "./home.js";
export { type Layout, layoutOf, type ServiceLayout } from "./layout.js";
export * from "./process/index.js";
