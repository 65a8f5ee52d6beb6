/** What `pg_authid` says of a role that a client may log in as. Whoever holds the verifier can check a password and,
 *  with a client's proof, log in as the role, but cannot learn the password. */
export interface RoleSecret {
  readonly role: string;
  /** `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, `md5<32 hex>`, or null: no password is set. */
  readonly verifier: string | null;
  readonly canLogin: boolean;
  /** Milliseconds since the epoch until which the password holds; null: for ever. */
  readonly validUntil: number | null;
}
