/**
 * The client's half of SCRAM-SHA-256 without the password: with the ClientKey that a client's own proof has yielded the
 * gateway logs in as that client's role, as PgBouncer does. Salt and iterations of the server do not matter then. It
 * runs over a Unix socket, so there is no channel to bind (`n,,`).
 */
import { ProtocolViolation } from "../violation.js";
import { AttributeReader, malformed } from "./attributes.js";
import { decodeBase64, hmac, KEY_BYTES, newNonce, sameBytes, xor } from "./keys.js";
import { SCRAM_SHA_256 } from "./mechanisms.js";

export interface ScramClientKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const GS2_HEADER = "n,,";

export class ScramClientExchange {
  readonly #keys: ScramClientKeys;
  readonly #nonce: string;
  #authMessage: string | null = null;

  /** @param nonce for known answers in tests; otherwise 18 random bytes */
  constructor(keys: ScramClientKeys, nonce: string = newNonce()) {
    this.#keys = keys;
    this.#nonce = nonce;
  }

  /** client-first-message, for SASLInitialResponse. */
  initial(): { mechanism: typeof SCRAM_SHA_256; data: Buffer } {
    return { mechanism: SCRAM_SHA_256, data: Buffer.from(GS2_HEADER + this.#clientFirstBare(), "latin1") };
  }

  /**
   * Takes server-first-message, answers client-final-message for SASLResponse.
   * @throws ProtocolViolation when it is malformed or its nonce does not continue ours
   */
  respond(serverFirst: Buffer): Buffer {
    const reader = new AttributeReader(serverFirst);
    const nonce = reader.value("r");
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new ProtocolViolation("invalid SCRAM response", { detail: "Nonce does not match." });
    }
    if (decodeBase64(reader.value("s")) === null) throw malformed("Invalid salt in server-first-message.");
    if (!/^[1-9]\d*$/.test(reader.value("i"))) throw malformed("Invalid iteration count in server-first-message.");
    const withoutProof = `c=${Buffer.from(GS2_HEADER, "latin1").toString("base64")},r=${nonce}`;
    const authMessage = `${this.#clientFirstBare()},${reader.text},${withoutProof}`;
    this.#authMessage = authMessage;
    const proof = xor(this.#keys.clientKey, hmac(this.#keys.storedKey, authMessage));
    return Buffer.from(`${withoutProof},p=${proof.toString("base64")}`, "latin1");
  }

  /**
   * Has the server proven in server-final-message that it knows the verifier? False also for its `e=…`.
   * @throws ProtocolViolation when it is malformed
   */
  verify(serverFinal: Buffer): boolean {
    if (this.#authMessage === null) throw new Error("invalid SCRAM exchange state");
    const reader = new AttributeReader(serverFinal);
    if (reader.peek() === "e") return false;
    const signature = decodeBase64(reader.value("v"));
    if (signature?.length !== KEY_BYTES) throw malformed("Malformed signature in server-final-message.");
    return sameBytes(signature, hmac(this.#keys.serverKey, this.#authMessage));
  }

  #clientFirstBare(): string {
    return `n=,r=${this.#nonce}`;
  }
}
