export { runInitScripts } from "./run-init-scripts.js";
