/** The old password method. Nothing can log in to a server with what it proves, so it serves only to find out who is
 *  there before a role with an md5 password is told to set a new one. */
import { createHash, timingSafeEqual } from "node:crypto";

const VERIFIER = /^md5[0-9a-f]{32}$/;

/**
 * Does the response prove the password? Takes as long for a wrong one as for the right one.
 * @param attempt `verifier`: `md5` + md5(password + role) in hex, as in pg_authid; `response`: `md5` + md5(that hex +
 *   salt) in hex, as the PasswordMessage carries it
 */
export function verifyMd5(attempt: {
  readonly verifier: string;
  readonly salt: Buffer;
  readonly response: string;
}): boolean {
  const known = VERIFIER.test(attempt.verifier);
  const digest = createHash("md5").update(attempt.verifier.slice(3), "latin1").update(attempt.salt).digest("hex");
  return sameText(`md5${digest}`, attempt.response) && known;
}

/** Hashed first, so that texts of any length can be compared in constant time. */
function sameText(expected: string, given: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text, "utf8").digest();
  return timingSafeEqual(hash(expected), hash(given));
}
