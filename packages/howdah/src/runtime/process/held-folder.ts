import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";

/**
 * A folder held open while files in it are read and written. As root we work in folders that belong to a service's
 * user, and its superuser can run commands there: a path that we looked at may be a link to somebody else's file a
 * moment later. So the folder is opened once, without following a link, its owner is checked on the open descriptor,
 * and names are looked up under that descriptor. Files are opened without following links and must belong to the
 * owner or to us.
 */
export class HeldFolder implements Disposable {
  readonly #fd: number;
  readonly #path: string;
  readonly #owner: number | null;

  private constructor(path: string, fd: number, owner: number | null) {
    this.#path = path;
    this.#fd = fd;
    this.#owner = owner;
  }

  /** null when there is no such folder. `owner`: who must own it (besides us); null: only us.
   *  Throws HOME_UNUSABLE when it is a link, no folder, or somebody else's. */
  static open(path: string, owner: number | null): HeldFolder | null {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT") return null;
      if (errno === "ELOOP" || errno === "ENOTDIR") {
        throw new HowdahError("HOME_UNUSABLE", `'${path}' is not a folder`, { cause: error });
      }
      throw error;
    }
    const folder = new HeldFolder(path, fd, owner);
    if (!folder.#trusts(fstatSync(fd))) {
      closeSync(fd);
      throw new HowdahError("HOME_UNUSABLE", `'${path}' belongs to another user`);
    }
    return folder;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** The name of a file in this folder, for system calls; on Linux valid only while the folder is held. */
  at(name: string): string {
    return process.platform === "linux" ? `/proc/self/fd/${this.#fd}/${name}` : join(this.#path, name);
  }

  names(): string[] {
    return readdirSync(process.platform === "linux" ? `/proc/self/fd/${this.#fd}` : this.#path);
  }

  /** An open descriptor of a plain file of the owner's or ours; null when there is none. Close it yourself. */
  openFile(name: string): number | null {
    let fd: number;
    try {
      fd = openSync(this.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT") return null;
      if (errno === "ELOOP") throw this.#foreign(name);
      throw error;
    }
    const stat = fstatSync(fd);
    if (stat.isFile() && this.#trusts(stat)) return fd;
    closeSync(fd);
    throw this.#foreign(name);
  }

  /** At most `limit` bytes of the file, or null when there is none. */
  read(name: string, limit = 1_048_576): string | null {
    const fd = this.openFile(name);
    if (fd === null) return null;
    try {
      const buffer = Buffer.alloc(Math.min(limit, Math.max(fstatSync(fd).size, 4_096)));
      let length = 0;
      for (let n = -1; n !== 0 && length < buffer.length; length += n) {
        n = readSync(fd, buffer, length, buffer.length - length, length);
      }
      return buffer.toString("utf8", 0, length);
    } finally {
      closeSync(fd);
    }
  }

  /** Replaces the file as a whole or not at all, durably, with mode 0600 and the folder's owner. */
  write(name: string, text: string): void {
    const temporary = `.${name}.${randomBytes(6).toString("hex")}.tmp`;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = openSync(this.at(temporary), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      if (this.#owner !== null) fchownSync(fd, this.#owner, this.#owner);
      // Against a umask that took away even the owner's rights.
      fchmodSync(fd, 0o600);
      writeSync(fd, text);
      fsyncSync(fd);
      renameSync(this.at(temporary), this.at(name));
    } catch (error) {
      this.remove(temporary);
      throw error;
    } finally {
      closeSync(fd);
    }
    fsyncSync(this.#fd);
  }

  /** Nothing happens when there is no such file. */
  remove(name: string): void {
    try {
      unlinkSync(this.at(name));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }

  #trusts(stat: Stats): boolean {
    return stat.uid === this.#owner || stat.uid === process.geteuid?.();
  }

  #foreign(name: string): HowdahError {
    return new HowdahError("HOME_UNUSABLE", `'${join(this.#path, name)}' is not a plain file of its folder's owner`, {
      hint: "Somebody put another file or a link in its place; remove it.",
    });
  }
}
