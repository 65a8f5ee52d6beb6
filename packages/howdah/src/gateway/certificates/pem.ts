import { X509Certificate } from "node:crypto";
import { HowdahError } from "../../kernel/errors.js";

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Every certificate of the text, in its order. Throws CERTIFICATE_INVALID where there is none, or one is damaged. */
export function parseCertificates(pem: string): [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  const [leaf, ...rest] = blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      const which = blocks.length === 1 ? "the certificate" : `certificate ${i + 1} of the chain`;
      throw new HowdahError("CERTIFICATE_INVALID", `${which} cannot be read`, { cause: error });
    }
  });
  if (leaf === undefined) throw new HowdahError("CERTIFICATE_INVALID", "there is no PEM certificate in the text");
  return [leaf, ...rest];
}

export function holdsPrivateKey(pem: string): boolean {
  return /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(pem);
}
