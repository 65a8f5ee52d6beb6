import { errnoOf } from "../kernel/errors.js";
import { connect, createPrivateFile, translateFileError } from "./database.js";

/**
 * Makes this process the only one of an installation, or returns null when another live one is. What is held is a
 * SQLite transaction on a file of its own: a lock of the kernel, so it is free at once when the holder dies, however
 * it dies, and no stale pid file can ever keep a server from starting. Throws HOME_UNUSABLE, DISK_FULL.
 */
export function acquireLock(lockDb: string): Disposable | null {
  createPrivateFile(lockDb);
  const db = connect(lockDb);
  try {
    db.exec("begin exclusive");
  } catch (error) {
    db.close();
    if (errnoOf(error) === "SQLITE_BUSY") return null;
    throw translateFileError(error, lockDb);
  }
  return {
    [Symbol.dispose]: () => {
      if (!db.open) return;
      db.exec("rollback");
      db.close();
    },
  };
}
