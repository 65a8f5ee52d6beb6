import { statfs } from "node:fs/promises";
import { HowdahError } from "../../kernel/errors.js";
import { humanSize } from "../../kernel/sizes.js";

/** Bytes that an ordinary user may still write on the disk that holds the path. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/** Throws DISK_FULL when fewer than that many bytes are free. */
export async function requireFreeSpace(path: string, bytes: number): Promise<void> {
  const free = await freeBytes(path);
  if (free >= bytes) return;
  throw new HowdahError(
    "DISK_FULL",
    `only ${humanSize(free)} are free on the disk of '${path}', ${humanSize(bytes)} are needed`,
    { fields: { path, free, needed: bytes } },
  );
}
