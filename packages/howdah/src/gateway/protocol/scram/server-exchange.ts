/**
 * The server's half of SCRAM-SHA-256(-PLUS), as PostgreSQL's auth-scram.c plays it. A proof that holds yields the
 * ClientKey, with which the gateway logs in to the server in the client's name.
 *
 *     client-first   p=tls-server-end-point,,n=<ignored>,r=<client nonce>     (or n,, or y,, without binding)
 *     server-first   r=<client nonce><our nonce>,s=<salt>,i=<iterations>
 *     client-final   c=<base64 of the gs2 header and the certificate's hash>,r=<both nonces>,p=<proof>
 *     server-final   v=<server signature>
 *
 * What must hold: a doomed exchange (no such role, no SCRAM password, expired) does the same work, sends the same
 * messages and fails at the same place as a wrong password; secrets are compared in constant time; one exchange checks
 * one proof.
 */
import { FEATURE_NOT_SUPPORTED, INVALID_AUTHORIZATION, ProtocolViolation } from "../violation.js";
import { AttributeReader, malformed, shown, shownText } from "./attributes.js";
import { decodeBase64, hmac, KEY_BYTES, newNonce, sameBytes, sha256, xor } from "./keys.js";
import { SCRAM_SHA_256, SCRAM_SHA_256_PLUS } from "./mechanisms.js";
import type { ScramVerifier } from "./verifier.js";

export interface ScramServerOptions {
  /** The role's, or mockVerifier's. */
  readonly verifier: ScramVerifier;
  /** True: the exchange fails, whatever the proof. */
  readonly doomed: boolean;
  /** Is this connection encrypted? */
  readonly tls: boolean;
  /** tls-server-end-point (RFC 5929) of the certificate that this connection shows; null: it has none, and
   *  SCRAM-SHA-256-PLUS is not offered. */
  readonly endPointHash: Buffer | null;
  /** For known answers in tests; otherwise 18 random bytes. */
  readonly nonce?: string;
}

export type ScramOutcome =
  | { readonly ok: true; readonly clientKey: Buffer; readonly serverFinal: Buffer }
  | { readonly ok: false };

interface ClientFirst {
  /** The header as it must come again in client-final: `n,,`, `y,,` or `p=tls-server-end-point,,`. */
  readonly gs2Header: string;
  readonly bare: string;
  readonly nonce: string;
}

/** The only type of channel binding that PostgreSQL knows. */
const BINDING_TYPE = "tls-server-end-point";
const PRINTABLE = /^[\x21-\x7e]*$/;

export class ScramServerExchange {
  readonly #options: ScramServerOptions;
  readonly #serverNonce: string;
  #state:
    | { readonly at: "start" }
    | { readonly at: "salt-sent"; readonly first: ClientFirst; readonly binds: boolean; readonly serverFirst: string }
    | { readonly at: "over" } = { at: "start" };

  constructor(options: ScramServerOptions) {
    this.#options = options;
    this.#serverNonce = options.nonce ?? newNonce();
  }

  /** Mechanisms to offer in AuthenticationSASL, as PostgreSQL orders them. */
  get mechanisms(): readonly string[] {
    return this.#offersBinding() ? [SCRAM_SHA_256_PLUS, SCRAM_SHA_256] : [SCRAM_SHA_256];
  }

  /**
   * Takes client-first-message, answers server-first-message.
   * @throws ProtocolViolation 08P01 malformed or a mechanism that was not offered; 28000 when somebody between client
   *   and gateway took the offer of channel binding away; 0A000 for an authorization identity or an extension
   */
  first(mechanism: string, data: Buffer): Buffer {
    if (this.#state.at !== "start") throw new Error("invalid SCRAM exchange state");
    this.#state = { at: "over" };
    if (!this.mechanisms.includes(mechanism)) {
      throw new ProtocolViolation("client selected an invalid SASL authentication mechanism");
    }
    const binds = mechanism === SCRAM_SHA_256_PLUS;
    const first = this.#readClientFirst(data, binds);
    const { salt, iterations } = this.#options.verifier;
    const serverFirst = `r=${first.nonce}${this.#serverNonce},s=${salt.toString("base64")},i=${iterations}`;
    this.#state = { at: "salt-sent", first, binds, serverFirst };
    return Buffer.from(serverFirst, "latin1");
  }

  /**
   * Takes client-final-message and checks its proof. Not ok: answer 28P01 `password authentication failed for user`.
   * @throws ProtocolViolation 08P01 malformed, foreign nonce; 28000 when it is bound to another certificate
   */
  final(data: Buffer): ScramOutcome {
    const state = this.#state;
    if (state.at !== "salt-sent") throw new Error("invalid SCRAM exchange state");
    this.#state = { at: "over" };
    const { first, binds, serverFirst } = state;
    const { withoutProof, proof } = this.#readClientFinal(data, first, binds);

    const { storedKey, serverKey } = this.#options.verifier;
    const authMessage = `${first.bare},${serverFirst},${withoutProof}`;
    const clientKey = xor(proof, hmac(storedKey, authMessage));
    const serverSignature = hmac(serverKey, authMessage).toString("base64");
    const proven = sameBytes(sha256(clientKey), storedKey);
    // the proof is checked first, doomed or not: the order hides which roles exist
    if (!proven || this.#options.doomed) return { ok: false };
    return { ok: true, clientKey, serverFinal: Buffer.from(`v=${serverSignature}`, "latin1") };
  }

  #offersBinding(): boolean {
    return this.#options.tls && this.#options.endPointHash !== null;
  }

  #readClientFirst(data: Buffer, binds: boolean): ClientFirst {
    const reader = new AttributeReader(data);
    this.#readBindingFlag(reader, binds);
    if (reader.peek() === "a") {
      throw new ProtocolViolation("client uses authorization identity, but it is not supported", {
        sqlstate: FEATURE_NOT_SUPPORTED,
      });
    }
    if (reader.peek() !== ",") {
      throw malformed(`Unexpected attribute "${shown(reader.peek())}" in client-first-message.`);
    }
    reader.skip();
    const headerEnd = reader.position;
    if (reader.peek() === "m") {
      throw new ProtocolViolation("client requires an unsupported SCRAM extension", {
        sqlstate: FEATURE_NOT_SUPPORTED,
      });
    }
    // the startup packet has said who it is; clients send an empty name or anything here
    reader.value("n");
    const nonce = reader.value("r");
    if (!PRINTABLE.test(nonce)) throw new ProtocolViolation("non-printable characters in SCRAM nonce");
    while (!reader.atEnd) reader.any();
    return { gs2Header: reader.text.slice(0, headerEnd), bare: reader.text.slice(headerEnd), nonce };
  }

  /** `n`: the client cannot bind. `y`: it could, but was told that we cannot. `p=…`: it does. */
  #readBindingFlag(reader: AttributeReader, binds: boolean): void {
    const flag = reader.peek();
    if (flag === "p") {
      if (!binds) {
        throw malformed(
          "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
        );
      }
      const type = reader.value("p");
      if (type === BINDING_TYPE) return;
      throw new ProtocolViolation(`unsupported SCRAM channel-binding type "${shownText(type)}"`);
    }
    if (flag !== "n" && flag !== "y") throw malformed(`Unexpected channel-binding flag "${shown(flag)}".`);
    if (binds) {
      throw malformed(
        "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.",
      );
    }
    if (flag === "y" && this.#offersBinding()) {
      throw new ProtocolViolation("SCRAM channel binding negotiation error", {
        sqlstate: INVALID_AUTHORIZATION,
        detail:
          "The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.",
      });
    }
    reader.skip();
    reader.comma();
  }

  #readClientFinal(data: Buffer, first: ClientFirst, binds: boolean): { withoutProof: string; proof: Buffer } {
    const reader = new AttributeReader(data);
    this.#checkBinding(reader.value("c"), first.gs2Header, binds);
    const nonce = reader.value("r");
    let proofAt: number;
    let attribute: { name: string; value: string };
    do {
      proofAt = reader.position;
      attribute = reader.any();
    } while (attribute.name !== "p");
    const proof = decodeBase64(attribute.value);
    if (proof?.length !== KEY_BYTES) throw malformed("Malformed proof in client-final-message.");
    if (!reader.atEnd) throw malformed("Garbage found at the end of client-final-message.");
    const expected = Buffer.from(first.nonce + this.#serverNonce, "latin1");
    if (!sameBytes(Buffer.from(nonce, "latin1"), expected)) {
      throw new ProtocolViolation("invalid SCRAM response", { detail: "Nonce does not match." });
    }
    // the comma before the proof does not belong to what is signed
    return { withoutProof: reader.text.slice(0, proofAt - 1), proof };
  }

  #checkBinding(given: string, gs2Header: string, binds: boolean): void {
    const header = Buffer.from(gs2Header, "latin1");
    const hash = binds ? (this.#options.endPointHash ?? Buffer.alloc(0)) : Buffer.alloc(0);
    const expected = Buffer.concat([header, hash]).toString("base64");
    if (sameBytes(Buffer.from(given, "latin1"), Buffer.from(expected, "latin1"))) return;
    if (binds) {
      throw new ProtocolViolation("SCRAM channel binding check failed", { sqlstate: INVALID_AUTHORIZATION });
    }
    throw new ProtocolViolation("unexpected SCRAM channel-binding attribute in client-final-message");
  }
}
