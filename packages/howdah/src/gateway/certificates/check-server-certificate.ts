/** Looks at a certificate that a user brings, so that what is wrong is said at once and not by clients later. */
import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { signatureHash } from "../session/tls-identity.js";
import type { ServerCertificate } from "./contract.js";
import { holdsPrivateKey, parseCertificates } from "./pem.js";

const MIN_RSA_BITS = 2_048;
/** What TLS 1.3 knows; OpenSSL can make many more. */
const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const SERVER_AUTH = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];

/** Throws CERTIFICATE_INVALID with what is wrong, for endpoints could not present it, or clients would refuse it. */
export function checkServerCertificate(certificate: ServerCertificate, now: number = Date.now()): void {
  // What is given as certificate is shown to everybody.
  if (holdsPrivateKey(certificate.cert)) {
    throw invalid(
      "the certificate's text holds a private key",
      "Give the certificate and its chain in one file, the key in another.",
    );
  }
  const chain = parseCertificates(certificate.cert);
  const [leaf] = chain;
  checkKeyType(leaf);
  const key = readKey(certificate.key);
  if (!leaf.checkPrivateKey(key)) throw invalid("the key does not belong to the first certificate of the chain");
  for (const [i, each] of chain.entries()) checkTime(each, i, now);
  checkPurpose(leaf);
  checkOrder(chain);
  if (signatureHash(leaf.raw) === null) {
    throw invalid("the certificate is signed with Ed25519 or alike, which breaks channel binding", CHANNEL_BINDING);
  }
  try {
    createSecureContext({ cert: certificate.cert, key: certificate.key });
  } catch (error) {
    throw invalid(`TLS refuses the certificate (${errnoOf(error) ?? "unknown reason"})`, undefined, error);
  }
}

const CHANNEL_BINDING =
  "Use ECDSA or RSA: channel binding hashes the certificate as its signature does, and Ed25519 names no hash.";

function checkKeyType(leaf: X509Certificate): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = leaf.publicKey;
  switch (type) {
    case "ec":
      if (CURVES.has(details?.namedCurve ?? "")) return;
      throw invalid(`the key's curve is '${details?.namedCurve}', which TLS 1.3 does not know`, "Use P-256.");
    case "rsa":
      if ((details?.modulusLength ?? 0) >= MIN_RSA_BITS) return;
      throw invalid(`the RSA key has ${details?.modulusLength} bits, less than ${MIN_RSA_BITS}`);
    case "ed25519":
    case "ed448":
      throw invalid(
        `the key is ${type === "ed448" ? "Ed448" : "Ed25519"}, which breaks channel binding`,
        CHANNEL_BINDING,
      );
    default:
      throw invalid(`the key is of type '${type ?? "unknown"}', neither ECDSA nor RSA`);
  }
}

function readKey(pem: string): KeyObject {
  // OpenSSL would ask for a passphrase on the server's terminal.
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    throw invalid(
      "the key is encrypted with a passphrase",
      "Decrypt it first: 'openssl pkey -in encrypted.key -out server.key'. Howdah keeps it encrypted.",
    );
  }
  if (!holdsPrivateKey(pem)) throw invalid("there is no PEM private key in the key's text");
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw invalid("the private key cannot be read", undefined, error);
  }
}

function checkTime(certificate: X509Certificate, index: number, now: number): void {
  const which = index === 0 ? "the certificate" : `certificate ${index + 1} of the chain`;
  if (Date.parse(certificate.validTo) <= now) {
    throw invalid(`${which} expired on ${day(certificate.validTo)}`, "Renew it, then set it again.");
  }
  if (Date.parse(certificate.validFrom) > now) {
    throw invalid(`${which} is not valid before ${day(certificate.validFrom)}`, "Check this machine's clock.");
  }
}

function checkPurpose(leaf: X509Certificate): void {
  // Node calls the extended key usage so; without that extension everything is allowed.
  const purposes: readonly string[] | undefined = leaf.keyUsage;
  if (purposes === undefined || SERVER_AUTH.some((oid) => purposes.includes(oid))) return;
  throw invalid("the certificate is not for servers", "Its extended key usage must hold serverAuth.");
}

function checkOrder(chain: readonly X509Certificate[]): void {
  for (const [i, certificate] of chain.slice(0, -1).entries()) {
    const issuer = chain[i + 1];
    if (issuer === undefined || isIssuedBy(certificate, issuer)) continue;
    throw invalid(
      `certificate ${i + 2} of the chain did not issue certificate ${i + 1}`,
      "Put the server's certificate first, then the one that issued it, and so on; the root may be left out.",
    );
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function day(date: string): string {
  return new Date(Date.parse(date)).toISOString().slice(0, 10);
}

function invalid(message: string, hint?: string, cause?: unknown): HowdahError {
  return new HowdahError("CERTIFICATE_INVALID", message, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
