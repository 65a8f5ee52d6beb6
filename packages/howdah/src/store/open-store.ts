import { HowdahError, isHowdahError } from "../kernel/errors.js";
import { createApiKeys } from "./api-keys.js";
import { createApps } from "./apps.js";
import { createConfigs } from "./configs.js";
import { Database } from "./database.js";
import { createEvents } from "./events.js";
import { createKeyFile, readKeyFile, removeDrafts } from "./key-file.js";
import { createMeta, KEY_CHECK, selectMeta, upsertMeta } from "./meta.js";
import { hasTable, migrate } from "./migrate.js";
import { createSealed } from "./sealed.js";
import { createSecretBox, type SecretBox } from "./secret-box.js";
import { createServices } from "./services.js";
import { createTrash } from "./trash.js";
import type { Store } from "./types.js";

export interface StoreOptions {
  readonly stateDb: string;
  /** Path of the key file. */
  readonly encryptionKey: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const KEY_CHECK_TEXT = "this installation's key";
const KEY_CHECK_PLACE = { table: "meta", row: KEY_CHECK, column: "value" };

/**
 * Opens the state of an installation, making it where there is none; its folder must exist. Only the process that
 * holds the lock (`acquireLock`) should. Throws HOME_UNUSABLE, DISK_FULL, STATE_TOO_NEW, STATE_DAMAGED, KEY_EXPOSED,
 * KEY_WRONG.
 */
export function openStore(options: StoreOptions): Store {
  const now = options.now ?? Date.now;
  const db = Database.open(options.stateDb);
  try {
    // The check is read before the key is made: without it nothing was ever encrypted here.
    const check = hasTable(db, "meta") ? selectMeta(db, KEY_CHECK) : undefined;
    migrate(db, now());
    const box = openSecretBox(options.encryptionKey, check);
    if (check === undefined) upsertMeta(db, KEY_CHECK, box.seal(KEY_CHECK_TEXT, KEY_CHECK_PLACE).toString("base64"));
    return {
      services: createServices(db, box, now),
      trash: createTrash(db, now),
      configs: createConfigs(db, box, now),
      apps: createApps(db, box),
      apiKeys: createApiKeys(db, now),
      events: createEvents(db, now),
      meta: createMeta(db),
      sealed: createSealed(db, box),
      [Symbol.dispose]: () => db[Symbol.dispose](),
    };
  } catch (error) {
    db[Symbol.dispose]();
    throw error;
  }
}

function openSecretBox(path: string, check: string | undefined): SecretBox {
  const key = readKeyFile(path) ?? (check === undefined ? createKeyFile(path) : undefined);
  if (key === undefined) throw new HowdahError("KEY_WRONG", `the encryption key '${path}' is missing`);
  removeDrafts(path);
  const box = createSecretBox(key);
  if (check === undefined) return box;
  try {
    box.open(Buffer.from(check, "base64"), KEY_CHECK_PLACE);
  } catch (error) {
    if (!isHowdahError(error, "STATE_DAMAGED")) throw error;
    throw new HowdahError("KEY_WRONG", `the encryption key '${path}' is not the one that state.db was written with`, {
      cause: error,
    });
  }
  return box;
}
