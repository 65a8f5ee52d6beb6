import { randomUUID } from "node:crypto";
import { closeSync, constants, lchownSync, lstatSync, openSync, readdirSync } from "node:fs";
import { open, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { errnoOf } from "../../kernel/errors.js";

const ENTRIES_PER_TURN = 500;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

const REMOVED_AT_ONCE = 32;
/** Each level costs an open descriptor; a tree that is deeper is flattened as it goes. */
const MAX_DEPTH = 32;
const MAX_ROUNDS = 6;

/**
 * Removes a file or folder with all that is in it; links are removed, not followed. Nothing happens when it is gone.
 * As `chownTree` does, it walks by open descriptors: a path looked at twice could lead root into somebody else's
 * folder the second time, if whoever owns the tree puts a link in its place meanwhile.
 */
export async function removeTree(path: string): Promise<void> {
  await removeEntry(path, { path, depth: 0, round: 0 });
}

interface Level {
  /** The root of the tree as it is reached by a descriptor, into which folders too deep are moved. */
  readonly path: string;
  readonly depth: number;
  readonly round: number;
}

async function removeEntry(path: string, level: Level): Promise<void> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, FOLDER);
  } catch (error) {
    const errno = errnoOf(error);
    // ELOOP, ENOTDIR: a link, or no folder; whichever it is, only the name goes.
    if (errno === "ELOOP" || errno === "ENOTDIR") await ignoring(["ENOENT"], unlink(path));
    else if (errno !== "ENOENT") throw error;
    return;
  }
  try {
    const here = process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : path;
    await removeContents(here, level.depth === 0 ? { ...level, path: here } : level);
  } finally {
    await handle.close();
  }
  try {
    await ignoring(["ENOENT"], rmdir(path));
  } catch (error) {
    // PostgreSQL may still be dropping its last files: try again rather than fail on "directory not empty". ENOTDIR:
    // somebody exchanged it meanwhile.
    const again = ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "") && level.round + 1 < MAX_ROUNDS;
    if (!again) throw error;
    await delay(20);
    await removeEntry(path, { ...level, round: level.round + 1 });
  }
}

async function removeContents(here: string, level: Level): Promise<void> {
  // Folders moved up from below are found by another look.
  for (let names = await readdir(here); names.length > 0; names = level.depth === 0 ? await readdir(here) : []) {
    const folders: string[] = [];
    for (let at = 0; at < names.length; at += REMOVED_AT_ONCE) {
      const batch = names.slice(at, at + REMOVED_AT_ONCE).map(async (name) => {
        if (!(await removeFile(join(here, name)))) folders.push(name);
      });
      await Promise.all(batch);
    }
    for (const name of folders) {
      const below = { ...level, depth: level.depth + 1, round: 0 };
      if (below.depth < MAX_DEPTH) await removeEntry(join(here, name), below);
      else await ignoring(["ENOENT"], rename(join(here, name), join(level.path, randomUUID())));
    }
    if (level.depth === 0 && folders.length === 0) return;
  }
}

/** False for a folder. */
async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return true;
    // EISDIR on Linux, EPERM on macOS; where EPERM means what it says, opening or emptying it tells.
    if (errno === "EISDIR" || errno === "EPERM") return false;
    throw error;
  }
}

async function ignoring(errnos: readonly string[], work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!errnos.includes(errnoOf(error) ?? "")) throw error;
  }
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
  const fd = openSync(path, FOLDER);
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
