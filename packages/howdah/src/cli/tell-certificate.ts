import type { WireCertificate } from "../api/client/types.js";
import { readCertificate } from "../gateway/certificates/index.js";
import { humanDate } from "./render/dates.js";
import type { Output } from "./render/output.js";
import { renderPairs } from "./render/table.js";

const DAY_MS = 86_400_000;
/** Ours is renewed before; nobody renews the user's own but the user. */
const WARN_DAYS = 30;

/** What endpoints with TLS present, and a warning when it is the user's own and ends soon. */
export function tellCertificate(output: Output, certificate: WireCertificate, now: number = Date.now()): void {
  output.result(certificate, () => {
    const { subject, issuer, fingerprint256 } = readCertificate(certificate.cert);
    return renderPairs(
      [
        ["Certificate", certificate.own ? "your own" : "issued by this installation, renewed by itself"],
        ["Names", certificate.names.length === 0 ? "none" : certificate.names.join(", ")],
        ["Valid until", humanDate(certificate.not_after)],
        ["Subject", subject === "" ? undefined : subject],
        ["Issuer", issuer],
        ["SHA-256", fingerprint256],
      ],
      output.style,
    );
  });
  if (!certificate.own) return;
  const days = Math.floor((Date.parse(certificate.not_after) - now) / DAY_MS);
  if (days < 0) output.warn("the certificate has expired; clients that check it cannot connect");
  else if (days < WARN_DAYS) output.warn(`the certificate expires in ${days} days; set its successor in time`);
}
