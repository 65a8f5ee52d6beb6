/**
 * Makes certificates. Everything is ECDSA on P-256 with SHA-256: small, known to every client, and unlike Ed25519 it
 * leaves channel binding working (the certificate's signature names a hash, which RFC 5929 wants to use).
 */
import { createPrivateKey, KeyObject, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { HowdahError } from "../../kernel/errors.js";
import type { Authority, ServerCertificate } from "./contract.js";
import { canonicalName, isCertifiable } from "./names.js";
import { parseCertificates } from "./pem.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_652;
/** What clients accept at most of public authorities. */
const MAX_DAYS = 397;
/** Clients' clocks may be slow. */
const BACKDATED_MS = 3_600_000;
/** X.520 allows a common name no more. */
const MAX_COMMON_NAME = 64;

/** The library and the reflection that it wants take longer to load than control takes to start; few homes need them. */
async function loadX509() {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** An authority for ten years that may sign servers' certificates and no further authorities. */
export async function createAuthority(name: string): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const notBefore = startOf();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: new x509.Name(named(name)),
      keys,
      signingAlgorithm: SIGNATURE,
      notBefore,
      notAfter: new Date(notBefore.getTime() + AUTHORITY_DAYS * DAY_MS),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: asPem(certificate), key: keyAsPem(keys.privateKey) };
}

/**
 * A server's certificate, with the authority's behind it. `names` are DNS names and IP addresses; `days` are cut to 397,
 * and to what is left of the authority's own time. Throws CERTIFICATE_INVALID for a name that no certificate can hold.
 */
export async function issueCertificate(
  authority: Authority,
  options: { readonly names: readonly string[]; readonly days: number },
): Promise<ServerCertificate> {
  const names = options.names.map(canonicalName);
  const [first] = names;
  if (first === undefined) throw new HowdahError("CERTIFICATE_INVALID", "a certificate needs a name");
  const wrong = names.find((name) => !isCertifiable(name));
  if (wrong !== undefined) {
    throw new HowdahError("CERTIFICATE_INVALID", `'${wrong}' is neither a DNS name nor an IP address`, {
      hint: "Names consist of ASCII letters, digits, '-', '_' and '.'.",
    });
  }
  const x509 = await loadX509();
  const [issuer] = parseCertificates(authority.cert);
  const issuing = new x509.X509Certificate(issuer.raw);
  const signingKey = await importKey(authority.key);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const notBefore = startOf();
  const end = notBefore.getTime() + Math.min(options.days, MAX_DAYS) * DAY_MS - 1_000;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: new x509.Name(named(first)),
      issuer: issuing.subjectName,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: SIGNATURE,
      notBefore,
      notAfter: new Date(Math.min(end, issuing.notAfter.getTime())),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(issuing.publicKey, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: asPem(certificate) + issuer.toString(), key: keyAsPem(keys.privateKey) };
}

/** As data, not as text of a distinguished name: whatever a machine is called stays one name. */
function named(name: string) {
  return [{ CN: [{ utf8String: [...name].slice(0, MAX_COMMON_NAME).join("") }] }];
}

/** Certificates count whole seconds. */
function startOf(): Date {
  return new Date(Math.floor((Date.now() - BACKDATED_MS) / 1_000) * 1_000);
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

function asPem(certificate: { toString(format: "pem"): string }): string {
  return `${certificate.toString("pem").trim()}\n`;
}

function keyAsPem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}
