export const SCRAM_SHA_256 = "SCRAM-SHA-256";
/** With the server's certificate bound into the proof, so that nobody between the two can pass the login on. */
export const SCRAM_SHA_256_PLUS = "SCRAM-SHA-256-PLUS";
