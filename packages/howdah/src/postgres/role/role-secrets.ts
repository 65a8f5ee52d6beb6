import type pg from "pg";
import type { RoleSecret } from "../../spec/index.js";
import { sqlStateOf } from "../server/index.js";
import { ADMIN_ROLE } from "../settings/index.js";

/**
 * What the gateway checks passwords against, read from pg_authid. The platform's own role is never told, under whatever
 * name (the bootstrap superuser is number 10): nobody from outside may become it. Neither are PostgreSQL's predefined
 * roles, which are groups. Everything else is told, also roles that may not log in: what they are told is the gateway's
 * matter.
 */
const COLUMNS = `
  SELECT rolname AS role, rolpassword AS verifier, rolcanlogin AS "canLogin",
         CASE WHEN rolvaliduntil = 'infinity' THEN NULL
              WHEN rolvaliduntil = '-infinity' THEN -8640000000000000
              ELSE pg_catalog.floor(pg_catalog.date_part('epoch', rolvaliduntil) * 1000) END AS "validUntil"
  FROM pg_catalog.pg_authid
  WHERE oid <> 10 AND rolname <> '${ADMIN_ROLE}' AND rolname !~ '^pg_'`;

/** A client waits for the answer; a server that gives none by then gives none at all. */
const QUERY_MS = 5_000;

/** A name that the server's encoding cannot hold, or that is no text: then there is no such role. */
const NO_SUCH_NAME = ["22021", "22P05"];

/** The types of pg do not know the limit for a single query. */
type Query = pg.QueryConfig & { readonly query_timeout: number };

/** The role's secret as it is this moment, null when there is no such role. A name that is too long is cut, as
 *  PostgreSQL cuts the one of a startup packet. */
export async function readRoleSecret(client: pg.Client, role: string): Promise<RoleSecret | null> {
  try {
    const text = `${COLUMNS} AND rolname = $1::pg_catalog.name`;
    const query: Query = { name: "howdah_role_secret", text, values: [role], query_timeout: QUERY_MS };
    return (await client.query<RoleSecret>(query)).rows[0] ?? null;
  } catch (error) {
    if (NO_SUCH_NAME.includes(sqlStateOf(error) ?? "")) return null;
    throw error;
  }
}

/** Those of all roles, ordered by name: what is kept for the time that a service sleeps. */
export async function readRoleSecrets(client: pg.Client): Promise<RoleSecret[]> {
  const query: Query = { text: `${COLUMNS} ORDER BY rolname`, query_timeout: QUERY_MS };
  return (await client.query<RoleSecret>(query)).rows;
}
