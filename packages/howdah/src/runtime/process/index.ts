export { type Account, serviceAccount } from "./accounts.js";
export { freeBytes, requireFreeSpace } from "./disk.js";
export { HeldFolder } from "./held-folder.js";
export { findFreePort, isPortFree } from "./ports.js";
export {
  isAlive,
  listProcesses,
  processesNamed,
  processesOf,
  readProcess,
  signalProcess,
  waitForExit,
} from "./processes.js";
export { type DetachedCommand, spawnDetached } from "./spawn-detached.js";
export { chownTree, removeTree } from "./tree.js";
export type { ProcessIdentity, ProcessInfo } from "./types.js";
export { claimUid, reclaimUids, releaseUid, type UidClaim } from "./uids.js";
export { watchExit } from "./watch-exit.js";
