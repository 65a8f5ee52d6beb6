export { discardRuns, runFolder } from "./discard-run.js";
export { runInitScripts } from "./run-init-scripts.js";
