export { type InitScriptsOptions, runInitScripts } from "./run-init-scripts.js";
