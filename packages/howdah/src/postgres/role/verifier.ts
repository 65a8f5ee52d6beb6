import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { saslprep } from "./saslprep.js";

/**
 * SCRAM-SHA-256 verifiers as they stand in pg_authid. Made here, a password never travels to the server in a statement,
 * where `log_statement` or an error would write it into a log.
 */
const ITERATIONS = 4_096;
/** A service's superuser may write any number into pg_authid, and we would calculate that long. */
const MAX_ITERATIONS = 100_000;
const SALT_BYTES = 16;
const VERIFIER = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

/** `SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>`, with a new salt each time. */
export function makeVerifier(password: string, salt = randomBytes(SALT_BYTES), iterations = ITERATIONS): string {
  const { storedKey, serverKey } = deriveKeys(password, salt, iterations);
  const encode = (bytes: Buffer) => bytes.toString("base64");
  return `SCRAM-SHA-256$${iterations}:${encode(salt)}$${encode(storedKey)}:${encode(serverKey)}`;
}

/** Whether a verifier of pg_authid was made from this password; false for any other kind of text, and for one with more
 *  than 100,000 iterations. */
export function verifierMatches(verifier: string, password: string): boolean {
  const [, iterations, salt, storedKey] = VERIFIER.exec(verifier) ?? [];
  if (iterations === undefined || salt === undefined || storedKey === undefined) return false;
  if (Number(iterations) < 1 || Number(iterations) > MAX_ITERATIONS) return false;
  const expected = Buffer.from(storedKey, "base64");
  const actual = deriveKeys(password, Buffer.from(salt, "base64"), Number(iterations)).storedKey;
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** RFC 5802, section 3. */
function deriveKeys(password: string, salt: Buffer, iterations: number): { storedKey: Buffer; serverKey: Buffer } {
  const salted = pbkdf2Sync(saslprep(password), salt, iterations, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  return { storedKey: createHash("sha256").update(hmac("Client Key")).digest(), serverKey: hmac("Server Key") };
}
