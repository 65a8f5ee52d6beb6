import { constants, lstatSync, type Stats } from "node:fs";
import { access, chmod, lstat, mkdir, open, readdir, realpath, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf, HowdahError } from "../kernel/errors.js";
import type { Layout, ServiceLayout } from "./layout.js";
import { serviceAccount } from "./process/accounts.js";

/**
 * Makes the folders of an installation and refuses a home in which its promises could not be kept: one that somebody
 * else owns or may write into (the home and the short socket folder may lie under /tmp, where anybody can plant one),
 * one on a network disk, and, as root, one that the services' users cannot reach.
 */
const NETWORK_DISKS = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9P"],
]);

/** Idempotent. Throws HOME_UNUSABLE. */
export async function prepareHome(layout: Layout, options: { isRoot: boolean }): Promise<void> {
  const { home } = layout;
  // As root each service's user walks through home, services, sockets and engines to what is its own: x, but not r.
  const passage = options.isRoot ? 0o711 : 0o700;
  await makeParents(home);
  await makeFolder(home, passage);
  await checkDisk(home);
  if (options.isRoot) await checkAncestors(home);
  await letPass(home, passage, layout);
  await makeOpenFolder(layout.services, passage);
  await makeOpenFolder(layout.sockets, passage);
  if (options.isRoot && dirname(layout.sockets) !== home) await checkAncestors(layout.sockets);
  await makeOpenFolder(layout.engines, options.isRoot ? 0o755 : 0o700);
  await makeFolder(layout.trash, 0o700);
  await makeFolder(layout.pool, 0o700);
  // initdb works in the pool as the service account, and nobody else has any business there.
  if (options.isRoot) await giveFolder(layout.pool, 0, serviceAccount().gid, 0o710);
}

/** The folders of one service; idempotent, and puts right what a crash left half-done. `socketGid`: the group that may
 *  reach the socket (null: the user's own; for an ordinary user nobody else). */
export async function prepareServiceFolders(
  paths: ServiceLayout,
  options: { uid: number | null; socketGid: number | null },
): Promise<void> {
  const { uid, socketGid } = options;
  for (const folder of [paths.root, paths.log, paths.lastGood]) {
    await mkdirIfMissing(folder, 0o700);
    if (uid !== null) await giveFolder(folder, uid, uid, 0o700);
  }
  await mkdirIfMissing(paths.socket, 0o700);
  // The set-group bit hands the group on to the socket that PostgreSQL makes in there.
  if (uid !== null) await giveFolder(paths.socket, uid, socketGid ?? uid, 0o2750);
  else if (socketGid !== null) await giveFolder(paths.socket, process.getuid?.() ?? -1, socketGid, 0o2750);
}

/** Whether the folder of the server's socket is as `prepareServiceFolders` makes it, by one look: then nobody needs to
 *  go through all of them before a quick start. */
export function isSocketFolderReady(
  paths: Pick<ServiceLayout, "socket">,
  options: { uid: number | null; socketGid: number | null },
): boolean {
  const { uid, socketGid } = options;
  const found = lstatSync(paths.socket, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (uid !== null) return matches(found, uid, socketGid ?? uid, 0o2750);
  return socketGid === null ? found.isDirectory() : matches(found, process.getuid?.() ?? -1, socketGid, 0o2750);
}

/** Everything above the home that does not exist yet; other users may pass, as in any system folder. */
async function makeParents(home: string): Promise<void> {
  const parent = dirname(home);
  try {
    const first = await mkdir(parent, { recursive: true, mode: 0o755 });
    if (first === undefined) return;
    // A strict umask took away what the services' users need.
    for (let folder = parent; folder.length >= first.length; folder = dirname(folder)) await chmod(folder, 0o755);
  } catch (error) {
    throw unusable(home, `its parent folder cannot be made (${errnoOf(error) ?? "unknown error"})`, error);
  }
}

/** A folder of ours in which a strict umask, or somebody's chmod, does not shut out whom it is for. */
async function makeOpenFolder(path: string, mode: number): Promise<void> {
  await makeFolder(path, mode);
  const found = (await stat(path)).mode & 0o7777;
  if ((found & mode) !== mode) await chmod(path, found | mode);
}

/** Makes a folder, or checks that what is there is a folder of ours that nobody else may write into. */
async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdirIfMissing(path, mode);
  } catch (error) {
    throw unusable(path, `it cannot be made (${errnoOf(error) ?? "unknown error"})`, error);
  }
  const link = await lstat(path);
  const target = link.isSymbolicLink() ? await followed(path) : link;
  if (!target.isDirectory()) throw unusable(path, "it is not a folder");
  // A link of ours is our wish; a stranger's may point anywhere, and tomorrow elsewhere.
  for (const found of [link, target]) {
    if (found.uid !== process.geteuid?.()) throw unusable(path, `it belongs to user ${found.uid}`);
  }
  if ((target.mode & 0o022) !== 0) {
    throw unusable(path, "others may write into it", undefined, `Close it with 'chmod go-w ${path}'.`);
  }
}

async function followed(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw unusable(path, "it is a link that leads nowhere", error);
  }
}

async function checkDisk(home: string): Promise<void> {
  const disk = NETWORK_DISKS.get((await statfs(home)).type);
  if (disk !== undefined) throw unusable(home, `it lies on a network disk (${disk})`);
  try {
    await access(home, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(home, "it cannot be written", error);
  }
}

/** Every folder above must let other users pass, along the path as written and as resolved. */
async function checkAncestors(path: string): Promise<void> {
  for (const start of new Set([await realpath(path), path])) {
    for (let folder = dirname(start); ; folder = dirname(folder)) {
      const { mode } = await stat(folder);
      if ((mode & 0o001) === 0) {
        throw unusable(
          path,
          `services run as users of their own, who may not pass through '${folder}'`,
          undefined,
          `Choose another folder with HOWDAH_HOME, or open '${folder}' for passage with 'chmod o+x ${folder}'.`,
        );
      }
      if (folder === dirname(folder)) break;
    }
  }
}

/** A home that was made beforehand (by `mktemp -d`, say) may be closed; open it, but only if it is nothing but a home. */
async function letPass(home: string, passage: number, layout: Layout): Promise<void> {
  const { mode } = await stat(home);
  if ((mode & passage) === passage) return;
  const names = await readdir(home);
  const isHome =
    names.length === 0 || names.some((name) => [layout.stateDb, layout.services].includes(join(home, name)));
  if (!isHome) {
    throw unusable(home, "its users could not pass and it holds other things", undefined, `Choose an empty folder.`);
  }
  await chmod(home, (mode & 0o7777) | passage);
}

async function mkdirIfMissing(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

/** Owner, group and mode of a folder, set on the open folder itself: its path may be in reach of a service's user. */
async function giveFolder(path: string, uid: number, gid: number, mode: number): Promise<void> {
  if (matches(lstatSync(path), uid, gid, mode)) return;
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    throw unusable(path, "it is not a folder", error);
  }
  try {
    await handle.chown(uid, gid);
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

function matches(found: Stats, uid: number, gid: number, mode: number): boolean {
  return found.isDirectory() && found.uid === uid && found.gid === gid && (found.mode & 0o7777) === mode;
}

function unusable(path: string, why: string, cause?: unknown, hint?: string): HowdahError {
  return new HowdahError("HOME_UNUSABLE", `'${path}' cannot be used: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    ...(hint === undefined ? {} : { hint }),
  });
}
