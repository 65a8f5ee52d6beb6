export { readActivity } from "./activity.js";
export { checkpoint } from "./checkpoint.js";
export { tablesToVacuum } from "./tables-to-vacuum.js";
export { vacuumDue } from "./vacuum-due.js";
