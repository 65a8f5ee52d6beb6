export { adminIsBroken, adminWorks, healAdmin } from "./heal-admin.js";
export { healAdminOnline } from "./heal-online.js";
export { passwordWorks, provision } from "./provision.js";
export { ident, literal } from "./quoting.js";
export { readRoleSecret, readRoleSecrets } from "./role-secrets.js";
export { makeVerifier, verifierMatches } from "./verifier.js";
