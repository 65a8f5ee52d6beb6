/** The arithmetic of RFC 5802 with SHA-256. What is compared here is secret, so every comparison takes constant time. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export const KEY_BYTES = 32;
/** PostgreSQL's SCRAM_RAW_NONCE_LEN. */
const NONCE_BYTES = 18;

/** 24 printable characters without a comma. */
export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString("base64");
}

export function hmac(key: Buffer, text: string): Buffer {
  // messages are handled byte for character, so that a username in any encoding goes into the proof unchanged
  return createHmac("sha256", key).update(text, "latin1").digest();
}

export function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** @param a and b: KEY_BYTES each */
export function xor(a: Buffer, b: Buffer): Buffer {
  const result = Buffer.alloc(KEY_BYTES);
  for (let i = 0; i < KEY_BYTES; i++) result[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
  return result;
}

/** Constant time for equal lengths; a length is no secret. */
export function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Strict, unlike Buffer.from, which passes over what it does not know. */
export function decodeBase64(text: string): Buffer | null {
  return BASE64.test(text) ? Buffer.from(text, "base64") : null;
}
