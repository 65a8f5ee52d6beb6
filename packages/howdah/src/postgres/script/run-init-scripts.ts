import { join } from "node:path";
import type { Logger } from "../../kernel/log.js";
import type { InitScript } from "../../spec/index.js";
import { readScript } from "./read-script.js";
import { runShellScript } from "./run-shell-script.js";
import { runSqlScript } from "./run-sql-script.js";
import { ScriptFault } from "./script-fault.js";
import type { Connect } from "./script-session.js";

export interface InitScriptsOptions {
  readonly scripts: readonly InitScript[];
  /** Connects to a database of the server as the user whose scripts these are. */
  readonly connect: Connect;
  /** Where each script begins. */
  readonly database: string;
  /** Environment of `.sh` scripts: POSTGRES_USER, POSTGRES_DB, PGHOST (socket folder), PGPORT, PGUSER, PGPASSWORD, … */
  readonly variables: Readonly<Record<string, string>>;
  /** User that `.sh` scripts run as; null: ourselves. */
  readonly uid: number | null;
  /** For `.sh` scripts. `uid` itself makes this folder, so it must own the one around it; the caller removes it. */
  readonly workDir: string;
  readonly onProgress: (message: string) => void;
  readonly log: Logger;
  readonly signal?: AbortSignal;
}

/**
 * Runs the scripts of /docker-entrypoint-initdb.d in the order of their names (bytes, as in the C locale), `.sql` and
 * `.sql.gz` without psql. Stops at the first failure; what ran before it stays, so the server is to be made anew.
 * Throws INIT_SCRIPT_FAILED with the script, the line and PostgreSQL's message; the signal's reason when aborted.
 */
export async function runInitScripts(o: InitScriptsOptions): Promise<void> {
  const scripts = [...o.scripts].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const [i, script] of scripts.entries()) {
    o.signal?.throwIfAborted();
    o.onProgress(`running ${script.name} (${i + 1} of ${scripts.length})`);
    const log = o.log.child({ script: script.name });
    const { connect, database, signal } = o;
    if (script.name.endsWith(".sh")) {
      const folder = join(o.workDir, String(i + 1));
      await runShellScript({ script, variables: o.variables, uid: o.uid, folder, log, signal });
      continue;
    }
    try {
      await runSqlScript({ text: readScript(script), connect, database, log, signal });
    } catch (error) {
      throw error instanceof ScriptFault ? error.toHowdahError(script.name) : error;
    }
  }
}
