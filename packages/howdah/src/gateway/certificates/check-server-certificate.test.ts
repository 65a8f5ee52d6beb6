import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { describe, expect, it } from "vitest";
import { isHowdahError } from "../../kernel/errors.js";
import { checkServerCertificate } from "./check-server-certificate.js";
import { createAuthority, issueCertificate } from "./index.js";
import { parseCertificates } from "./pem.js";

const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]) };
const ED25519 = { name: "Ed25519" };
const DAY_MS = 86_400_000;

interface Made {
  readonly cert: string;
  readonly key: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly signing: webcrypto.Algorithm;
}

/** What users bring: self-signed, or signed by `by`. */
async function make(
  algorithm: webcrypto.Algorithm,
  o: { by?: Made; name?: string; from?: number; to?: number; extensions?: x509.Extension[] } = {},
): Promise<Made> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const name = o.name ?? "db.example.org";
  const signing = o.by?.signing ?? algorithm;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: `CN=${name}`,
      issuer: o.by === undefined ? `CN=${name}` : new x509.X509Certificate(o.by.cert).subject,
      publicKey: keys.publicKey,
      signingKey: (o.by?.keys ?? keys).privateKey,
      signingAlgorithm: signing,
      notBefore: new Date(Date.now() + (o.from ?? -DAY_MS)),
      notAfter: new Date(Date.now() + (o.to ?? DAY_MS)),
      extensions: o.extensions ?? [],
    },
    webcrypto as Parameters<typeof x509.X509CertificateGenerator.create>[1],
  );
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
  return { cert: `${certificate.toString("pem")}\n`, key, keys, signing: algorithm };
}

const ca = await make(P256, { name: "Example CA", extensions: [new x509.BasicConstraintsExtension(true)] });
const leaf = await make(P256, { by: ca });

function refusal(certificate: { cert: string; key: string }, now?: number) {
  try {
    checkServerCertificate(certificate, now);
  } catch (error) {
    if (isHowdahError(error, "CERTIFICATE_INVALID")) return { message: error.message, hint: error.hint };
    throw error;
  }
  return undefined;
}

describe("a certificate of the user's own", () => {
  it("is taken when it is ECDSA or RSA, with or without its chain", async () => {
    expect(refusal(leaf)).toBe(undefined);
    expect(refusal({ ...leaf, cert: leaf.cert + ca.cert })).toBe(undefined);
    expect(refusal({ ...leaf, cert: `subject=/CN=x\r\n${leaf.cert.replaceAll("\n", "\r\n")}` })).toBe(undefined);
    expect(refusal(await make({ ...P256, namedCurve: "P-384" } as webcrypto.Algorithm))).toBe(undefined);
    expect(refusal(await make({ ...RSA, modulusLength: 2_048 } as webcrypto.Algorithm))).toBe(undefined);
    expect(refusal(await issueCertificate(await createAuthority("x"), { names: ["localhost"], days: 1 }))).toBe(
      undefined,
    );
    const forms = { type: "sec1", format: "pem" } as const;
    expect(refusal({ ...leaf, key: KeyObject.from(leaf.keys.privateKey).export(forms).toString() })).toBe(undefined);
  });

  it("must come with the key that belongs to it", () => {
    expect(refusal({ ...leaf, key: ca.key })?.message).toMatch(/^the key does not belong to the first certificate/);
    expect(refusal({ ...leaf, cert: ca.cert + leaf.cert })?.message).toMatch(/^the key does not belong/);
    expect(refusal({ ...leaf, key: "" })?.message).toBe("there is no PEM private key in the key's text");
    expect(refusal({ ...leaf, key: leaf.cert })?.message).toBe("there is no PEM private key in the key's text");
    expect(refusal({ ...leaf, key: leaf.key.replace(/\n..../, "\nAAAA") })?.message).toBe(
      "the private key cannot be read",
    );
    const forms = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" } as const;
    const encrypted = KeyObject.from(leaf.keys.privateKey).export(forms).toString();
    expect(refusal({ ...leaf, key: encrypted })?.message).toBe("the key is encrypted with a passphrase");
    const traditional = { ...forms, type: "sec1" } as const;
    const old = KeyObject.from(leaf.keys.privateKey).export(traditional).toString();
    expect(refusal({ ...leaf, key: old })?.message).toBe("the key is encrypted with a passphrase");
  });

  it("must not hold the key, since certificates are shown to everybody", () => {
    expect(refusal({ ...leaf, cert: leaf.cert + leaf.key })?.message).toBe(
      "the certificate's text holds a private key",
    );
  });

  it("is not Ed25519, by its key or by its issuer's, because of channel binding", async () => {
    const own = refusal(await make(ED25519));
    expect(own?.message).toBe("the key is Ed25519, which breaks channel binding");
    expect(own?.hint).toContain("ECDSA or RSA");
    const issuer = await make(ED25519, { name: "Ed CA", extensions: [new x509.BasicConstraintsExtension(true)] });
    const issued = refusal(await make(P256, { by: issuer }));
    expect(issued?.message).toMatch(/signed with Ed25519/);
  });

  it("is not a weak one", async () => {
    const weak = await make({ ...RSA, modulusLength: 1_024 } as webcrypto.Algorithm);
    expect(refusal(weak)?.message).toBe("the RSA key has 1024 bits, less than 2048");
  });

  it("is valid now, and so is its chain", async () => {
    const ended = await make(P256, { from: -3 * DAY_MS, to: -DAY_MS });
    const day = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
    expect(refusal(ended)?.message).toBe(`the certificate expired on ${day}`);
    expect(refusal(ended, Date.now() - 2 * DAY_MS)).toBe(undefined);
    expect(refusal(leaf, Date.now() + 2 * DAY_MS)?.message).toMatch(/^the certificate expired on /);
    expect(refusal(await make(P256, { from: DAY_MS / 2 }))?.message).toMatch(/^the certificate is not valid before /);
    const oldCa = await make(P256, { name: "Old CA", from: -3 * DAY_MS, to: -DAY_MS });
    const issued = await make(P256, { by: oldCa });
    expect(refusal({ ...issued, cert: issued.cert + oldCa.cert })?.message).toMatch(/^certificate 2 of the chain exp/);
  });

  it("is for servers", async () => {
    const usage = (oid: string) => ({ extensions: [new x509.ExtendedKeyUsageExtension([oid])] });
    expect(refusal(await make(P256, usage(x509.ExtendedKeyUsage.clientAuth)))?.message).toBe(
      "the certificate is not for servers",
    );
    expect(refusal(await make(P256, usage(x509.ExtendedKeyUsage.serverAuth)))).toBe(undefined);
  });

  it("stands before those that issued it, in their order", async () => {
    const middle = await make(P256, { by: ca, name: "Middle", extensions: [new x509.BasicConstraintsExtension(true)] });
    const low = await make(P256, { by: middle });
    expect(refusal({ ...low, cert: low.cert + middle.cert + ca.cert })).toBe(undefined);
    expect(refusal({ ...low, cert: low.cert + ca.cert + middle.cert })?.message).toBe(
      "certificate 2 of the chain did not issue certificate 1",
    );
    const namesake = await make(P256, { name: "Example CA" });
    expect(refusal({ ...leaf, cert: leaf.cert + namesake.cert })?.message).toBe(
      "certificate 2 of the chain did not issue certificate 1",
    );
  });

  it("is a certificate", () => {
    expect(refusal({ ...leaf, cert: "" })?.message).toBe("there is no PEM certificate in the text");
    expect(refusal({ ...leaf, cert: leaf.cert.replace(/-----\n..../, "-----\nAAAA") })?.message).toBe(
      "the certificate cannot be read",
    );
    expect(parseCertificates(leaf.cert + ca.cert)).toHaveLength(2);
  });
});
