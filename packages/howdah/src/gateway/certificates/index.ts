/** The certificates that endpoints present: issued by an authority of the installation's own, or the user's. */
export { checkServerCertificate } from "./check-server-certificate.js";
export type { Authority, ServerCertificate } from "./contract.js";
export { createAuthority, issueCertificate } from "./issue.js";
export { defaultNames } from "./names.js";
export { needsRenewal, readCertificate } from "./read-certificate.js";
