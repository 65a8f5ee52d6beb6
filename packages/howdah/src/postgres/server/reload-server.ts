import { HowdahError } from "../../kernel/errors.js";
import { signalProcess } from "../../runtime/process/index.js";
import type { ServerSpec } from "../types.js";
import { CONF, holdData, readConfiguration, writeConfiguration } from "./configuration.js";
import { connectAdmin } from "./connect.js";
import { findPostmaster } from "./observe-server.js";

/** Lines that the server would pass over when reloading: wrong ones, but not those that only wait for a restart. */
const REFUSED_LINES = `
  SELECT f.name, f.setting, f.error
  FROM pg_catalog.pg_file_settings f LEFT JOIN pg_catalog.pg_settings s ON lower(s.name) = lower(f.name)
  WHERE f.error IS NOT NULL AND s.context IS DISTINCT FROM 'postmaster'
  ORDER BY f.seqno LIMIT 1`;

/** Writes the configuration and has a running server take it up. The server checks the file first: when it would not
 *  take it, the old file stays. Throws SETTING_INVALID; POSTGRES_START_FAILED when no server runs. */
export async function reloadServer(spec: ServerSpec): Promise<void> {
  const running = findPostmaster(spec);
  if (running === null) throw new HowdahError("POSTGRES_START_FAILED", `server '${spec.title}' does not run`);
  const before = readConfiguration(spec);
  writeConfiguration(spec);
  const refused = await refusedLine(spec);
  if (refused !== null) {
    using data = holdData(spec);
    data.write(CONF, before.conf);
    throw new HowdahError("SETTING_INVALID", `PostgreSQL does not take ${refused}`);
  }
  signalProcess(running.postmaster, "SIGHUP");
}

async function refusedLine(spec: ServerSpec): Promise<string | null> {
  const client = await connectAdmin(spec);
  try {
    const { rows } = await client.query<{ name: string | null; setting: string | null; error: string }>(REFUSED_LINES);
    const row = rows[0];
    return row === undefined ? null : `${row.name ?? "a line"} = '${row.setting ?? ""}' (${row.error})`;
  } finally {
    await client.end();
  }
}
