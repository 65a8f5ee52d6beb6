import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, lchown } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { minimalEnvironment } from "../../kernel/environment.js";
import { HowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import { prepareServiceFolders } from "../../runtime/home.js";
import { type Account, chownTree, serviceAccount } from "../../runtime/process/index.js";
import type { Settings } from "../../spec/index.js";
import {
  connectAdmin,
  endSurvivors,
  readConfiguration,
  requestedSettings,
  sqlStateOf,
  stopServer,
} from "../server/index.js";
import { ADMIN_ROLE, ownedSettings, toArguments } from "../settings/index.js";
import type { ServerSpec } from "../types.js";
import { literal } from "./quoting.js";

/** The database in which single-user mode works; it does not mind `datallowconn`. */
const WORKPLACES = ["template1", "template0"];
const STOP_MS = 60_000;
const SINGLE_USER_MS = 600_000;

/** SQLSTATEs of a login that fails for good: role unknown or NOLOGIN, database gone or closed, privileges lost. */
const BROKEN = ["28000", "28P01", "3D000", "55000", "42501"];

/** Whether the platform's role can log in and is a superuser. Throws what is no matter of the role (no server, no
 *  connection left). */
export async function adminWorks(spec: ServerSpec): Promise<boolean> {
  try {
    const client = await connectAdmin(spec);
    try {
      const { rows } = await client.query<{ super: string }>(
        "SELECT pg_catalog.current_setting('is_superuser') AS super",
      );
      return rows[0]?.super === "on";
    } finally {
      await client.end();
    }
  } catch (error) {
    if (adminIsBroken(error)) return false;
    throw error;
  }
}

/** Whether an error of `connectAdmin`, or of work behind it, says that the platform's role is not what it should be. */
export function adminIsBroken(error: unknown): boolean {
  const state = sqlStateOf(error) ?? "";
  // Superusers are not counted against limits, so this one is about a role that is none any more.
  const limited =
    state === "53300" && error instanceof Error && /too many connections for (role|database)/.test(error.message);
  return limited || BROKEN.includes(state);
}

/**
 * Puts the platform's role right after a user broke it (renamed, NOLOGIN, no superuser, its database closed or gone).
 * Stops the server for that, and starts it not: true tells the caller to do so. False, with the server left as it is:
 * the role works. Throws SQL_FAILED with what single-user mode said.
 */
export async function healAdmin(spec: ServerSpec, log: Logger): Promise<boolean> {
  if (await adminWorks(spec)) return false;
  log.warn({ server: spec.title }, "the platform's role is broken, repairing it in single-user mode");
  await stopServer(spec, { mode: "fast", timeoutMs: STOP_MS, log });
  // Single-user mode wants a user with a passwd entry. If we die in here, the next start takes the data back.
  // What the superuser left in the data runs there too (a restore_command, a trigger on a catalog), so it gets no group
  // of other work of the account: it can reach no other service's cluster, and is found again by the group.
  const account = spec.uid === null ? null : { ...serviceAccount(), gid: spec.uid };
  // Slots and the like keep a server from coming up with less than it had, also in this mode.
  const settings = ownedSettings(spec, { ...requestedSettings(readConfiguration(spec)), wal_level: "logical" });
  if (account !== null) await lend(spec, account);
  try {
    await repair(spec, account, settings);
  } finally {
    if (spec.uid !== null) {
      await endSurvivors(spec, log);
      await chownTree(spec.paths.data, spec.uid, spec.uid);
      await prepareServiceFolders(spec.paths, spec);
    }
  }
  return true;
}

/** The data directory itself goes first here and last on the way back, so whoever finds it in another's hands knows
 *  that the work is not done. */
async function lend(spec: ServerSpec, account: Account): Promise<void> {
  const { data, root } = spec.paths;
  // By its group only: other programs of the account must not pass.
  await chown(root, 0, account.gid);
  await chmod(root, 0o710);
  await lchown(data, account.uid, account.gid);
  await chownTree(data, account.uid, account.gid);
}

async function repair(spec: ServerSpec, account: Account | null, settings: Settings): Promise<void> {
  let output = "";
  for (const database of WORKPLACES) {
    output = await singleUser(spec, account, { ...settings, ...SINGLE_USER_SETTINGS }, database);
    if (!/FATAL: /.test(output)) return;
  }
  const words = /FATAL: +(.*)/.exec(output)?.[1] ?? output.trim();
  throw new HowdahError("SQL_FAILED", `single-user mode of server '${spec.title}' failed: ${words}`);
}

/** What comes from the outside stays outside, and everything that is said goes to standard error. */
const SINGLE_USER_SETTINGS: Settings = {
  logging_collector: "off",
  log_destination: "stderr",
  log_statement: "none",
  shared_preload_libraries: "",
  session_preload_libraries: "",
  default_transaction_read_only: "off",
};

async function singleUser(
  spec: ServerSpec,
  account: Account | null,
  settings: Settings,
  database: string,
): Promise<string> {
  const child = spawn(
    join(spec.distribution.binDir, "postgres"),
    ["--single", "-D", spec.paths.data, ...toArguments(settings), database],
    {
      cwd: spec.paths.data,
      env: minimalEnvironment(),
      stdio: ["pipe", "pipe", "pipe"],
      timeout: SINGLE_USER_MS,
      killSignal: "SIGQUIT",
      ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
    },
  );
  // It may end before it has read everything; its output then tells why.
  child.stdin.on("error", () => undefined);
  child.stdin.end(REPAIRS.map((sql) => `${sql}\n`).join(""));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return `${stdout}${stderr}`;
}

/**
 * One statement a line, as single-user mode reads them. The bootstrap superuser is number 10, whatever it is called
 * now. The catalogs are written directly: no language, trigger or privilege of the user's can come between.
 */
const REPAIRS = [
  `UPDATE pg_catalog.pg_authid SET rolname = (${literal(`${ADMIN_ROLE}_`)} || oid)::name WHERE rolname = ${literal(ADMIN_ROLE)} AND oid <> 10`,
  `UPDATE pg_catalog.pg_authid SET rolname = ${literal(ADMIN_ROLE)}, rolsuper = true, rolinherit = true, rolcreaterole = true, rolcreatedb = true, rolcanlogin = true, rolreplication = true, rolbypassrls = true, rolconnlimit = -1, rolvaliduntil = NULL WHERE oid = 10`,
  "DELETE FROM pg_catalog.pg_db_role_setting WHERE setrole = 10",
  "CREATE DATABASE postgres TEMPLATE template0",
  "UPDATE pg_catalog.pg_database SET datallowconn = true, datconnlimit = -1 WHERE datname = 'postgres' AND datconnlimit <> -2",
];
