/** What pg_authid keeps of a password, and what stands in for it where there is none. */
import { createHmac } from "node:crypto";
import { encodeText } from "../text.js";
import { decodeBase64, KEY_BYTES } from "./keys.js";

export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Buffer;
  /** H(ClientKey): checks a client's proof. */
  readonly storedKey: Buffer;
  /** Proves to the client that we know the verifier. */
  readonly serverKey: Buffer;
}

const VERIFIER = /^SCRAM-SHA-256\$([1-9]\d{0,9}):([^:$]*)\$([^:$]*):([^:$]*)$/;
const MAX_INT32 = 2_147_483_647;
/** PostgreSQL's defaults, with which a password is stored unless somebody chose otherwise. */
const MOCK_ITERATIONS = 4_096;
const MOCK_SALT_BYTES = 16;

/** `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as parse_scram_secret reads it; null: something else. */
export function parseVerifier(text: string): ScramVerifier | null {
  const [matched, iterations, salt, storedKey, serverKey] = VERIFIER.exec(text) ?? [];
  if (matched === undefined || Number(iterations) > MAX_INT32) return null;
  const parts = {
    salt: decodeBase64(salt ?? ""),
    storedKey: decodeBase64(storedKey ?? ""),
    serverKey: decodeBase64(serverKey ?? ""),
  };
  if (parts.salt === null || parts.storedKey?.length !== KEY_BYTES || parts.serverKey?.length !== KEY_BYTES) {
    return null;
  }
  return {
    iterations: Number(iterations),
    salt: parts.salt,
    storedKey: parts.storedKey,
    serverKey: parts.serverKey,
  };
}

/**
 * A verifier for a role that has none or does not exist, for an exchange that is doomed: nobody can tell it from a real
 * one, and whoever asks again gets the same salt. Its keys are nobody's password, and only the time they take counts.
 * @param secret kept by the installation for this, at least 16 random bytes; whoever knows it can tell mock from real
 */
export function mockVerifier(secret: Buffer, role: string): ScramVerifier {
  const name = encodeText(role);
  const derive = (purpose: string) =>
    createHmac("sha256", secret).update(purpose, "latin1").update("\0").update(name).digest();
  return {
    iterations: MOCK_ITERATIONS,
    salt: derive("salt").subarray(0, MOCK_SALT_BYTES),
    storedKey: derive("stored key"),
    serverKey: derive("server key"),
  };
}
