/**
 * A child of integration/engines.test.ts, to be killed at any moment: node engine-worker.mjs WHAT FOLDER
 * install: installs engine 18 again and again. initdb: makes clusters and removes them. pool: fills and takes.
 * take: takes what is there, then waits.
 * Acknowledges every finished result on stdout.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createLogger } from "../../dist/kernel/log.js";
import { createCluster, createEngines, createPool } from "../../dist/postgres/index.js";

const [what, folder, uidText] = process.argv.slice(2);
const uid = uidText === "none" ? null : Number(uidText);
const log = createLogger("silent");
const engines = createEngines({ engines: join(folder, "engines"), log });
const poolDir = join(folder, "pool");
const done = (text) => writeSync(1, `${text}\n`);
if (what !== "take") done("ready");

for (let n = 0; ; n++) {
  const dataDir = join(folder, "services", `${process.pid}-${n}`);
  switch (what) {
    case "install":
      await engines.install(18);
      done("installed");
      await engines.remove(18);
      break;
    case "download":
      await engines.install(17);
      done("installed");
      await engines.remove(17);
      break;
    case "initdb":
      await createCluster({ distribution: await engines.resolve(18), poolDir, dataDir, uid, initdbArgs: [], log });
      done(dataDir);
      break;
    case "pool": {
      const distribution = await engines.resolve(18);
      const pool = createPool({ poolDir, size: 2, log });
      await pool.sweep();
      pool.fill(distribution);
      for (let i = 0; ; i++) {
        if (await pool.take({ distribution, dataDir: `${dataDir}-${i}`, uid })) done(`${dataDir}-${i}`);
        else await delay(5);
        pool.fill(distribution);
      }
    }
    case "take": {
      const distribution = await engines.resolve(18);
      const pool = createPool({ poolDir, size: 12, log });
      done("ready");
      for (let i = 0; ; i++) {
        if (await pool.take({ distribution, dataDir: `${dataDir}-${i}`, uid })) done(`${dataDir}-${i}`);
        else await delay(5);
      }
    }
    default:
      throw new Error(`nothing is called '${what}'`);
  }
}
