/**
 * The key that all secrets of an installation are encrypted with. A key file that others could read is refused, and
 * it is only made where nothing was ever encrypted: a new key beside an old state.db would make every stored password
 * unreadable without saying so.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf, HowdahError } from "../kernel/errors.js";
import { syncFolder, translateFileError } from "./database.js";
import { KEY_BYTES } from "./secret-box.js";

const PREFIX = "howdah-key-1:";

/** Throws KEY_EXPOSED, KEY_WRONG (not a key), HOME_UNUSABLE; undefined where there is no file. */
export function readKeyFile(path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    if (errnoOf(error) === "ELOOP") throw exposed(path, "is a symbolic link", error);
    throw translateFileError(error, path);
  }
  try {
    const { mode, uid } = requireRegularFile(fd, path);
    if (uid !== process.geteuid?.()) throw exposed(path, `belongs to user ${uid}`);
    if ((mode & 0o077) !== 0) throw exposed(path, `has mode ${(mode & 0o777).toString(8).padStart(4, "0")}`);
    return parseKey(readFileSync(fd, "utf8"), path);
  } finally {
    closeSync(fd);
  }
}

/** Makes a new key unless another process was faster; returns the one that is now there. */
export function createKeyFile(path: string): Buffer {
  // Written under another name and then linked: a crash leaves either no key or a whole one.
  const draft = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  const text = `${PREFIX}${randomBytes(KEY_BYTES).toString("base64url")}\n`;
  try {
    const fd = openSync(draft, "wx", 0o600);
    try {
      writeSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw translateFileError(error, path);
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    // EEXIST: another process linked its key first. ENOENT: it did, and has swept our draft away already.
    if (!["EEXIST", "ENOENT"].includes(errnoOf(error) ?? "")) throw translateFileError(error, path);
  }
  removeDrafts(path);
  syncFolder(dirname(path));
  const key = readKeyFile(path);
  if (key === undefined) throw new HowdahError("HOME_UNUSABLE", `cannot create '${path}'`);
  return key;
}

/** Drafts of runs that crashed: once a key is linked, none can become it any more, and one may be a second name of it. */
export function removeDrafts(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(".tmp")) continue;
    try {
      unlinkSync(join(dirname(path), name));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw translateFileError(error, path);
    }
  }
}

function requireRegularFile(fd: number, path: string): { mode: number; uid: number } {
  const stats = fstatSync(fd);
  if (!stats.isFile()) throw new HowdahError("KEY_WRONG", `'${path}' is not a regular file`);
  return stats;
}

function parseKey(text: string, path: string): Buffer {
  const encoded = text.trimEnd();
  const key = Buffer.from(encoded.slice(PREFIX.length), "base64url");
  if (!encoded.startsWith(PREFIX) || key.length !== KEY_BYTES) {
    throw new HowdahError("KEY_WRONG", `'${path}' does not hold a key`);
  }
  return key;
}

function exposed(path: string, why: string, cause?: unknown): HowdahError {
  return new HowdahError("KEY_EXPOSED", `the encryption key '${path}' ${why}`, {
    hint: `Make it a file of your own that nobody else can read ('chmod 600 ${path}'), and change the passwords if others may have read it.`,
    cause,
  });
}
