import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { verifyMd5 } from "./md5.js";

const md5 = (text: string | Buffer) => createHash("md5").update(text).digest("hex");
const answer = (password: string, role: string, salt: Buffer) =>
  `md5${md5(Buffer.concat([Buffer.from(md5(password + role)), salt]))}`;

it("knows the password that PostgreSQL's manual describes", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.uint8Array({ minLength: 4, maxLength: 4 }), (password, role, bytes) => {
      const salt = Buffer.from(bytes);
      const verifier = `md5${md5(password + role)}`;
      const response = answer(password, role, salt);
      expect(verifyMd5({ verifier, salt, response })).toBe(true);
      expect(verifyMd5({ verifier, salt, response: answer(`${password}x`, role, salt) })).toBe(false);
      expect(verifyMd5({ verifier, salt: Buffer.from(bytes.map((b) => b ^ 1)), response })).toBe(false);
    }),
  );
});

it("takes no other response and no other verifier", () => {
  const salt = Buffer.from("salt");
  const verifier = `md5${md5("secretuser")}`;
  for (const response of ["", "md5", verifier, answer("secret", "user", salt).toUpperCase(), "x".repeat(100_000)]) {
    expect(verifyMd5({ verifier, salt, response })).toBe(false);
  }
  // what would be right for such a verifier does not make it one
  for (const odd of ["md5", "", "md5short", "SCRAM-SHA-256$4096:a$b:c"]) {
    const response = `md5${md5(Buffer.concat([Buffer.from(odd.slice(3)), salt]))}`;
    expect(verifyMd5({ verifier: odd, salt, response })).toBe(false);
  }
});
