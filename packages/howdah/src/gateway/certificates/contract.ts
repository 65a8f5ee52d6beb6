/** A certificate with its key, in PEM. The chain begins with the server's own certificate. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** The installation's own authority: issues the endpoints' certificate; clients trust `cert` with sslrootcert. */
export interface Authority {
  readonly cert: string;
  readonly key: string;
}
