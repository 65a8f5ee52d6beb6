import type pg from "pg";
import { HowdahError } from "../../kernel/errors.js";
import { checkIdentifier } from "../../kernel/names.js";
import { retry } from "../../kernel/retry.js";
import { connectAdmin, connectUser, type Endpoint, sqlFailure, sqlStateOf } from "../server/index.js";
import { ADMIN_ROLE } from "../settings/index.js";
import type { Provision } from "../types.js";
import { ident, literal } from "./quoting.js";
import { makeVerifier, verifierMatches } from "./verifier.js";

/** CREATE DATABASE copies template1, which nobody may be connected to meanwhile. */
const TEMPLATE_BUSY = "55006";
const TEMPLATE_BUSY_MS = 15_000;
const DUPLICATE_DATABASE = "42P04";
const RESERVED_NAME = "42939";
const LOGIN_REFUSED = ["28P01", "28000", "3D000"];

/**
 * Makes role, password and database as wished; idempotent, and alters only what differs. The role is a superuser of
 * its own server, as POSTGRES_USER is in the official image, and owns the database.
 * Throws NAME_INVALID for names that are reserved, SQL_FAILED for what PostgreSQL refuses, DISK_FULL.
 */
export async function provision(spec: Endpoint, wish: Provision): Promise<void> {
  checkIdentifier(wish.username, "role");
  checkIdentifier(wish.database, "database");
  if (wish.username === ADMIN_ROLE) {
    throw new HowdahError("NAME_INVALID", `role name '${ADMIN_ROLE}' is Howdah's own`, {
      hint: "Choose another name.",
    });
  }
  const client = await connectAdmin(spec);
  try {
    await makeRole(client, wish);
    await makeDatabase(client, wish);
  } catch (error) {
    throw translated(error, wish);
  } finally {
    await client.end();
  }
}

interface RoleRow {
  readonly complete: boolean;
  readonly password: string | null;
}

const ROLE = `
  SELECT rolsuper AND rolcanlogin AND rolcreaterole AND rolcreatedb AND rolreplication AND rolbypassrls AS complete,
         rolpassword AS password
  FROM pg_catalog.pg_authid WHERE rolname = $1`;
const ATTRIBUTES = "LOGIN SUPERUSER CREATEROLE CREATEDB REPLICATION BYPASSRLS";

async function makeRole(client: pg.Client, { username, password }: Provision): Promise<void> {
  const { rows } = await client.query<RoleRow>(ROLE, [username]);
  const role = rows[0];
  if (role?.complete && verifierMatches(role.password ?? "", password)) return;
  const verb = role === undefined ? "CREATE" : "ALTER";
  await client.query(`${verb} ROLE ${ident(username)} ${ATTRIBUTES} PASSWORD ${literal(makeVerifier(password))}`);
}

async function makeDatabase(client: pg.Client, { username, database }: Provision): Promise<void> {
  const owner = "SELECT pg_catalog.pg_get_userbyid(datdba) AS owner FROM pg_catalog.pg_database WHERE datname = $1";
  const { rows } = await client.query<{ owner: string }>(owner, [database]);
  if (rows[0]?.owner === username) return;
  if (rows[0] !== undefined) {
    await client.query(`ALTER DATABASE ${ident(database)} OWNER TO ${ident(username)}`);
    return;
  }
  await retry(() => client.query(`CREATE DATABASE ${ident(database)} OWNER ${ident(username)}`), {
    when: (error) => sqlStateOf(error) === TEMPLATE_BUSY,
    budgetMs: TEMPLATE_BUSY_MS,
    minDelayMs: 20,
    maxDelayMs: 500,
  }).catch((error: unknown) => {
    // Somebody else was quicker; the owner is put right the next time.
    if (sqlStateOf(error) !== DUPLICATE_DATABASE) throw error;
  });
}

function translated(error: unknown, { username }: Provision): unknown {
  const state = sqlStateOf(error);
  if (state === undefined || !(error instanceof Error) || error instanceof HowdahError) return error;
  if (state === RESERVED_NAME) {
    return new HowdahError("NAME_INVALID", `role name '${username}' is reserved`, { cause: error });
  }
  return sqlFailure(error, error.message);
}

/** Whether the role can log in to the database with the password. Throws SQL_FAILED or DISK_FULL when the server cannot tell. */
export async function passwordWorks(spec: Endpoint, wish: Provision): Promise<boolean> {
  try {
    await (await connectUser(spec, wish)).end();
    return true;
  } catch (error) {
    if (LOGIN_REFUSED.includes(sqlStateOf(error) ?? "")) return false;
    throw error;
  }
}
