/**
 * Entry file of a gateway worker: `node worker-main.js <home> <uid> <gid>`, forked by the keeper. By the time this runs,
 * every module is loaded; nothing has been read from anybody yet.
 */
import { pino } from "pino";
import { readEnvironment } from "../../kernel/environment.js";
import { createLogger } from "../../kernel/log.js";
import { layoutOf } from "../../runtime/layout.js";
import { dropRights, parseUser } from "./drop-rights.js";
import { gatewayVersion } from "./version.js";
import { GatewayWorker } from "./worker.js";

const [, , , uid, gid] = process.argv;
const { home, logLevel } = readEnvironment();
const version = gatewayVersion();
dropRights(parseUser(uid, gid));

// Synchronous, so that the last words before an end are written.
const destination = pino.destination({ dest: 2, sync: true });
// A full disk is no reason to end.
destination.on("error", () => undefined);
const log = createLogger(logLevel, destination).child({ component: "gateway" });

process.on("uncaughtException", (err) => {
  log.fatal({ err }, "a bug ends this gateway process");
  process.exit(1);
});
const worker = new GatewayWorker({ layout: layoutOf(home), log, version });
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => worker.end());
log.info({ version, uid: process.getuid?.() }, "gateway process started");
