/** The certificate that this worker shows, ready for use, and its hash that channel binding (RFC 5929) signs. */
import { constants, createHash, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

export interface TlsIdentity {
  readonly context: SecureContext;
  /** tls-server-end-point; null when the signature names no hash (Ed25519): then channel binding is not offered. */
  readonly endPointHash: Buffer | null;
}

/** @throws Error of OpenSSL when certificate and key do not fit or cannot be read */
export function makeTlsIdentity(certificate: { readonly cert: string; readonly key: string }): TlsIdentity {
  const context = createSecureContext({
    cert: certificate.cert,
    key: certificate.key,
    minVersion: "TLSv1.2",
    // As PostgreSQL: a ticket would carry keys beyond a connection, and renegotiation is work that a stranger orders.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  });
  const der = new X509Certificate(certificate.cert).raw;
  const hash = signatureHash(der);
  return { context, endPointHash: hash === null ? null : createHash(hash).update(der).digest() };
}

/** DER contents of the object identifiers in hex. The RFC replaces md5 and sha1 by SHA-256. */
const BY_OID: Readonly<Record<string, string>> = {
  "2a864886f70d010104": "sha256", // md5WithRSAEncryption
  "2a864886f70d010105": "sha256", // sha1WithRSAEncryption
  "2a864886f70d01010e": "sha224",
  "2a864886f70d01010b": "sha256",
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d0401": "sha256", // ecdsa-with-SHA1
  "2a8648ce3d040301": "sha224",
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
  // The hashes themselves, as the parameters of RSASSA-PSS name them.
  "2b0e03021a": "sha256",
  "608648016503040204": "sha224",
  "608648016503040201": "sha256",
  "608648016503040202": "sha384",
  "608648016503040203": "sha512",
};
const RSASSA_PSS = "2a864886f70d01010a";

/** The hash that a client uses for this certificate: the one of its signature algorithm.
 *
 *     Certificate  ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OID, parameters }, … }
 *     RSASSA-PSS-params ::= SEQUENCE { [0] SEQUENCE { OID of the hash, … } OPTIONAL, … }
 */
export function signatureHash(der: Buffer): string | null {
  const certificate = element(der, 0);
  const body = element(der, certificate.start);
  const algorithm = element(der, body.end);
  const oid = element(der, algorithm.start);
  const name = der.subarray(oid.start, oid.end).toString("hex");
  if (name !== RSASSA_PSS) return BY_OID[name] ?? null;
  const parameters = element(der, oid.end);
  const first = parameters.start < parameters.end ? element(der, parameters.start) : null;
  // Left out it is SHA-1.
  if (first === null || first.tag !== 0xa0) return "sha256";
  const hash = element(der, element(der, first.start).start);
  return BY_OID[der.subarray(hash.start, hash.end).toString("hex")] ?? null;
}

/** One DER element: where its contents begin and end. The certificate has been read by OpenSSL before. */
function element(der: Buffer, at: number): { tag: number; start: number; end: number } {
  const tag = der.readUInt8(at);
  const short = der.readUInt8(at + 1);
  if (short < 0x80) return { tag, start: at + 2, end: at + 2 + short };
  const bytes = short & 0x7f;
  const start = at + 2 + bytes;
  return { tag, start, end: start + der.readUIntBE(at + 2, bytes) };
}
