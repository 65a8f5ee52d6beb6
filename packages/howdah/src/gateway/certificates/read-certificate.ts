import type { ServerCertificate } from "./contract.js";
import { canonicalName, namesOf } from "./names.js";
import { parseCertificates } from "./pem.js";

const DAY_MS = 86_400_000;
const RENEW_MS = 30 * DAY_MS;

interface CertificateFacts {
  /** DNS names and IP addresses that it is made out to. */
  readonly names: string[];
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
  /** `CN=db.example.org, O=Example` */
  readonly subject: string;
  readonly issuer: string;
  /** As Node names them: `ec`, `rsa`, `rsa-pss`, `ed25519`, … */
  readonly keyType: string;
  /** SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` writes it. */
  readonly fingerprint256: string;
}

/** What the first certificate of a chain says. Throws CERTIFICATE_INVALID. */
export function readCertificate(pem: string): CertificateFacts {
  const [leaf] = parseCertificates(pem);
  return {
    names: namesOf(leaf),
    notAfter: Date.parse(leaf.validTo),
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    keyType: leaf.publicKey.asymmetricKeyType ?? "unknown",
    fingerprint256: leaf.fingerprint256,
  };
}

/** Whether a certificate should be issued anew: it ends within 30 days of `now`, or lacks one of the names. */
export function needsRenewal(certificate: ServerCertificate, names: readonly string[], now: number): boolean {
  const { notAfter, names: present } = readCertificate(certificate.cert);
  return notAfter - now < RENEW_MS || names.some((name) => !present.includes(canonicalName(name)));
}

/** Node puts each part of a distinguished name on a line of its own; one without any part is undefined. */
function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}
