export { type Account, serviceAccount } from "./accounts.js";
export { freeBytes, requireFreeSpace } from "./disk.js";
export { HeldFolder } from "./held-folder.js";
export { inPlaceOfInherited } from "./inherited-descriptors.js";
export { findFreePort, isPortFree } from "./ports.js";
export {
  isAlive,
  killAllOf,
  listProcesses,
  processesNamed,
  processesOf,
  readProcess,
  signalProcess,
} from "./processes.js";
export { spawnDetached } from "./spawn-detached.js";
export { chownTree, removeTree } from "./tree.js";
export type { ProcessIdentity, ProcessInfo } from "./types.js";
export { claimUid, isClaimedBy, reclaimUids, releaseUid } from "./uids.js";
export { waitForExit } from "./wait-for-exit.js";
export { watchExit } from "./watch-exit.js";
