export { readActivity } from "./activity.js";
export { checkpoint } from "./checkpoint.js";
export { type DueTable, tablesToVacuum } from "./tables-to-vacuum.js";
export { vacuumDue } from "./vacuum-due.js";
