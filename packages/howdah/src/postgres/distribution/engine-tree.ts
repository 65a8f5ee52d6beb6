import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, open, readdir, readFile, readlink, symlink } from "node:fs/promises";
import { dirname, join, normalize, relative } from "node:path";
import { z } from "zod";
import { errnoOf, HowdahError } from "../../kernel/errors.js";

const PARALLEL = 16;
const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

/** Copies a tree of files, folders and symbolic links; by reference where the filesystem can. */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  const files: [string, string][] = [];
  for (const path of await treeOf(from)) {
    const target = join(to, relative(from, path.path));
    if (path.kind === "folder") await mkdir(target);
    else if (path.kind === "link") await symlink(await readlink(path.path), target);
    else files.push([path.path, target]);
  }
  await inParallel(files, ([source, target]) => copyFile(source, target, constants.COPYFILE_FICLONE));
}

/**
 * Makes the symbolic links that npm packages cannot hold, from the list that the embedded packages carry
 * (`native/pg-symlinks.json`, paths relative to the package). Without them `postgres` does not find its libraries.
 * `native` is the folder that holds the list. Links that are there already stay.
 */
export async function restoreSymlinks(native: string): Promise<void> {
  const list = Symlinks.parse(JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")));
  for (const { source, target } of list) {
    const inside = [source, target].map((p) => relative("native", normalize(p)));
    const [from = "", to = ""] = inside;
    if (inside.some((p) => p === "" || p.startsWith("..") || p.startsWith("/"))) {
      throw new HowdahError("ENGINE_CORRUPT", `the package's link '${target}' points outside of it`);
    }
    try {
      await symlink(relative(dirname(to), from), join(native, to));
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }
}

/**
 * Lets every uid read the tree and run what is executable, whatever umask or checkout it came through, and puts the
 * files on disk: the folder is renamed next, and a name must not survive a power failure without its content.
 * (Measured: 1,023 files, 60 MB: 45 ms beside a copy of 370 ms.)
 */
export async function publishTree(root: string): Promise<void> {
  const paths = [{ path: root, kind: "folder" as const }, ...(await treeOf(root))];
  await inParallel(
    paths.filter((p) => p.kind !== "link"),
    async ({ path, kind }) => {
      const mode = (await lstat(path)).mode & 0o7777;
      const wanted = kind === "folder" || (mode & 0o100) !== 0 ? 0o755 : 0o644;
      if (mode !== wanted) await chmod(path, wanted);
      if (kind === "file") await syncPath(path);
    },
  );
}

/** fsync of a file or of a folder's names. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface TreeEntry {
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
}

/** Parents stand before what they hold. */
async function treeOf(root: string): Promise<TreeEntry[]> {
  const found: TreeEntry[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    const kind = entry.isDirectory() ? "folder" : entry.isSymbolicLink() ? "link" : "file";
    found.push({ path, kind });
    if (kind === "folder") found.push(...(await treeOf(path)));
  }
  return found;
}

async function inParallel<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const left = [...items].reverse();
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await action(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}
