/** SCRAM as a client with a password plays it, written from RFC 5802 and apart from the source, so that the two can be
 *  held against each other. */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(Buffer.from(text, "latin1")).digest();

export interface PasswordClient {
  readonly password: string;
  readonly nonce: string;
  readonly user?: string;
  /** `n,,` unless said otherwise. */
  readonly header?: string;
  /** Hash of the certificate, behind the header in `c=`. */
  readonly binding?: Buffer;
  /** Extensions: behind the nonce of client-first, and before the proof of client-final. */
  readonly firstExtension?: string;
  readonly finalExtension?: string;
}

export function deriveKeys(password: string, salt: Buffer, iterations: number) {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const storedKey = createHash("sha256").update(clientKey).digest();
  return { clientKey, storedKey, serverKey: hmac(salted, "Server Key") };
}

export function verifierText(password: string, salt: Buffer, iterations: number): string {
  const { storedKey, serverKey } = deriveKeys(password, salt, iterations);
  const encode = (bytes: Buffer) => bytes.toString("base64");
  return `SCRAM-SHA-256$${iterations}:${encode(salt)}$${encode(storedKey)}:${encode(serverKey)}`;
}

export function clientFirst(client: PasswordClient): Buffer {
  return Buffer.from((client.header ?? "n,,") + firstBare(client), "latin1");
}

/** client-final-message, and the server-final-message that proves the server. */
export function clientFinal(client: PasswordClient, serverFirst: Buffer): { data: Buffer; expected: string } {
  const text = serverFirst.toString("latin1");
  const [, nonce = "", salt = "", iterations = ""] = /^r=([^,]*),s=([^,]*),i=(\d+)$/.exec(text) ?? [];
  const keys = deriveKeys(client.password, Buffer.from(salt, "base64"), Number(iterations));
  const header = Buffer.concat([Buffer.from(client.header ?? "n,,", "latin1"), client.binding ?? Buffer.alloc(0)]);
  const withoutProof = `c=${header.toString("base64")},r=${nonce}${client.finalExtension ?? ""}`;
  const authMessage = `${firstBare(client)},${text},${withoutProof}`;
  const signature = hmac(keys.storedKey, authMessage);
  const proof = Buffer.from(keys.clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
  return {
    data: Buffer.from(`${withoutProof},p=${proof.toString("base64")}`, "latin1"),
    expected: `v=${hmac(keys.serverKey, authMessage).toString("base64")}`,
  };
}

function firstBare(client: PasswordClient): string {
  return `n=${client.user ?? ""},r=${client.nonce}${client.firstExtension ?? ""}`;
}
