import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifierText } from "../testing/password-client.js";
import { mockVerifier, parseVerifier } from "./verifier.js";

const SALT = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const PENCIL =
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

describe("a verifier", () => {
  it("is what PostgreSQL keeps", () => {
    expect(verifierText("pencil", SALT, 4096)).toBe(PENCIL);
    expect(parseVerifier(PENCIL)).toEqual({
      iterations: 4096,
      salt: SALT,
      storedKey: Buffer.from("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "base64"),
      serverKey: Buffer.from("wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "base64"),
    });
  });

  it.each([
    ["nothing", ""],
    ["md5", `md5${"0".repeat(32)}`],
    ["a plain password", "pencil"],
    ["another method", PENCIL.replace("256", "512")],
    ["no iterations", PENCIL.replace("4096", "")],
    ["0 iterations", PENCIL.replace("4096", "0")],
    ["more than an integer", PENCIL.replace("4096", "2147483648")],
    ["a number that is none", PENCIL.replace("4096", "4096.5")],
    ["a salt that is no base64", PENCIL.replace("W22Z", "W2*Z")],
    ["a salt that is cut", PENCIL.replace("gQ==", "gQ=")],
    ["a short key", PENCIL.replace("WG5d", "")],
    ["a long key", PENCIL.replace("WG5d", "WG5dWG5d")],
    ["something behind", `${PENCIL}:x`],
    ["a new line", `${PENCIL}\n`],
    ["something before", ` ${PENCIL}`],
  ])("is not %s", (_, text) => {
    expect(parseVerifier(text)).toBeNull();
  });

  it("is not any text either", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => parseVerifier(text) === null));
  });
});

describe("a mock verifier", () => {
  const secret = Buffer.alloc(32, 1);

  it("looks like a real one and stays the same for a role", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const mock = mockVerifier(secret, a);
        expect(mock).toEqual(mockVerifier(Buffer.from(secret), a));
        expect([mock.iterations, mock.salt.length, mock.storedKey.length, mock.serverKey.length]).toEqual([
          4096, 16, 32, 32,
        ]);
        if (a !== b) expect(mockVerifier(secret, b).salt).not.toEqual(mock.salt);
        expect(mockVerifier(Buffer.alloc(32, 2), a).salt).not.toEqual(mock.salt);
      }),
    );
  });

  it("does not give its salt away as a key", () => {
    const mock = mockVerifier(secret, "role");
    expect(mock.storedKey.subarray(0, 16)).not.toEqual(mock.salt);
    expect(mock.serverKey).not.toEqual(mock.storedKey);
  });
});
