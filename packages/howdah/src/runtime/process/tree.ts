import { closeSync, constants, lchownSync, lstatSync, openSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

const ENTRIES_PER_TURN = 500;

/** Removes a file or folder with all that is in it; links are removed, not followed. Nothing happens when it is gone. */
export async function removeTree(path: string): Promise<void> {
  // PostgreSQL may still be dropping its last files: try again rather than fail on "directory not empty".
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

/**
 * Gives a folder and all that is in it to a user. Links themselves change hands, never what they point at, and folders
 * are walked by open descriptors, so that whoever owns the tree cannot lead us out of it meanwhile.
 * The folder itself comes last: while its owner is still the old one, the work is known to be unfinished.
 */
export async function chownTree(path: string, uid: number, gid: number): Promise<void> {
  await chownContents(path, uid, gid, { left: ENTRIES_PER_TURN });
  lchownSync(path, uid, gid);
}

async function chownContents(path: string, uid: number, gid: number, turn: { left: number }): Promise<void> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const here = process.platform === "linux" ? `/proc/self/fd/${fd}` : path;
    for (const name of readdirSync(here)) {
      if (--turn.left <= 0) {
        turn.left = ENTRIES_PER_TURN;
        await nextTurn();
      }
      const entry = join(here, name);
      const stat = lstatSync(entry);
      if (stat.isDirectory()) await chownContents(entry, uid, gid, turn);
      if (stat.uid !== uid || stat.gid !== gid) lchownSync(entry, uid, gid);
    }
  } finally {
    closeSync(fd);
  }
}
