import { connectUser, type Endpoint } from "../server/index.js";
import { ADMIN_ROLE } from "../settings/index.js";
import type { Provision } from "../types.js";
import { ident } from "./quoting.js";

/**
 * Puts the platform's role right without a stop, as the service's own role, which is a superuser unless its owner made it
 * something else. Whether it could; if not, the next start repairs it in single-user mode (`healAdmin`). Throws SQL_FAILED
 * when that role cannot log in either, or may not.
 */
export async function healAdminOnline(spec: Endpoint, user: Provision): Promise<boolean> {
  const client = await connectUser(spec, user);
  try {
    // The bootstrap superuser is number 10, whatever it is called now.
    const { rows } = await client.query<{ name: string }>(
      "SELECT rolname::pg_catalog.text AS name FROM pg_catalog.pg_roles WHERE oid = 10",
    );
    const name = rows[0]?.name;
    if (name === undefined) return false;
    if (name !== ADMIN_ROLE) await client.query(`ALTER ROLE ${ident(name)} RENAME TO ${ident(ADMIN_ROLE)}`);
    await client.query(
      `ALTER ROLE ${ident(ADMIN_ROLE)} SUPERUSER CREATEDB CREATEROLE INHERIT LOGIN REPLICATION BYPASSRLS CONNECTION LIMIT -1 VALID UNTIL 'infinity'`,
    );
    await client.query(`ALTER ROLE ${ident(ADMIN_ROLE)} RESET ALL`);
    return true;
  } finally {
    await client.end();
  }
}
