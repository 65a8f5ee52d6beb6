import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import { HowdahError } from "../kernel/errors.js";

// [1 byte version][12 bytes nonce][16 bytes tag][ciphertext]
const VERSION = 1;
const NONCE_AT = 1;
const NONCE_BYTES = 12;
const TAG_AT = NONCE_AT + NONCE_BYTES;
const TAG_BYTES = 16;
const TEXT_AT = TAG_AT + TAG_BYTES;
export const KEY_BYTES = 32;

/** Where a secret is kept. It is authenticated with the secret, so that no row can be given another row's. */
export interface SecretPlace {
  readonly table: string;
  /** The row's primary key. */
  readonly row: string | number | readonly string[];
  readonly column: string;
}

/** AES-256-GCM with random nonces: safe for 2^32 secrets under one key, far more than an installation ever writes. */
export interface SecretBox {
  /** Throws INVALID_INPUT for text that is not valid Unicode, since it would come back altered. */
  seal(text: string, place: SecretPlace): Buffer;
  /** Throws STATE_DAMAGED unless this very box sealed these bytes for this very place. */
  open(sealed: Buffer, place: SecretPlace): string;
}

export function createSecretBox(key: Buffer): SecretBox {
  const secretKey = createSecretKey(key);
  return {
    seal: (text, place) => {
      const plain = Buffer.from(text, "utf8");
      if (plain.toString("utf8") !== text)
        throw new HowdahError("INVALID_INPUT", "the value is not valid Unicode text");
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", secretKey, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(associatedData(place));
      const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), ciphertext]);
    },
    open: (sealed, place) => {
      if (sealed.length < TEXT_AT || sealed[0] !== VERSION) throw unreadable(place);
      const nonce = sealed.subarray(NONCE_AT, TAG_AT);
      const decipher = createDecipheriv("aes-256-gcm", secretKey, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(associatedData(place));
      decipher.setAuthTag(sealed.subarray(TAG_AT, TEXT_AT));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(TEXT_AT)), decipher.final()]).toString("utf8");
      } catch (error) {
        throw unreadable(place, error);
      }
    },
  };
}

/** JSON, because joining with a separator would let two places look the same. */
function associatedData(place: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([VERSION, place.table, place.row, place.column]));
}

function unreadable(place: SecretPlace, cause?: unknown): HowdahError {
  const where = `${place.table}.${place.column} of row '${[place.row].flat().join("/")}'`;
  return new HowdahError("STATE_DAMAGED", `the secret in ${where} cannot be decrypted`, { cause });
}
