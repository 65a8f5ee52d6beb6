/**
 * Entry file of the keeper: `node keeper-main.js <home> <uid> <gid>`, where `-` stands for no other user. Started by
 * control in a session of its own; it outlives control.
 */
import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { minimalEnvironment, readEnvironment } from "../../kernel/environment.js";
import { layoutOf } from "../../runtime/layout.js";
import { boundLog } from "./bound-log.js";
import { Keeper, type KeeperOptions } from "./keeper.js";
import { mockSecretOf } from "./mock-secret-file.js";

const LOOK_AT_LOG_MS = 60_000;

/** As pino writes it, which would be too much for this process. */
const LEVELS = { info: 30, warn: 40, error: 50 } as const;
const { logLevel, home } = readEnvironment();
const FROM = { debug: 20, silent: Number.POSITIVE_INFINITY, ...LEVELS }[logLevel];
const log: KeeperOptions["log"] = (level, msg, fields = {}) => {
  if (LEVELS[level] < FROM) return;
  const time = new Date().toISOString();
  try {
    writeSync(
      2,
      `${JSON.stringify({ level: LEVELS[level], time, pid: process.pid, component: "keeper", ...fields, msg })}\n`,
    );
  } catch {
    // A full disk is no reason to end.
  }
};

const { gatewayLog, gatewaySecret } = layoutOf(home);
const keeper = new Keeper({
  program: fileURLToPath(new URL("./worker-main.js", import.meta.url)),
  args: process.argv.slice(2),
  env: { ...minimalEnvironment(), HOWDAH_HOME: home, HOWDAH_LOG_LEVEL: logLevel },
  mockSecret: mockSecretOf(gatewaySecret),
  log,
  onEnd: (code) => process.exit(code),
});

setInterval(() => {
  try {
    boundLog(gatewayLog);
  } catch (error) {
    log("warn", "unable to shorten the log", { reason: String(error) });
  }
}, LOOK_AT_LOG_MS);

for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => keeper.end());
keeper.start();
