import { type DestinationStream, type Logger, pino } from "pino";
import type { Environment } from "./environment.js";

export type { Logger } from "pino";

/** Fields that are censored wherever they stand, so that a careless `log.info({ ...options })` tells nothing. */
const SECRET_FIELDS = [
  "password",
  "secret",
  "token",
  "authorization",
  "key",
  "verifier",
  "uri",
  "url",
  "connectionString",
  "env",
];
const PATHS = SECRET_FIELDS.flatMap((f) => [f, `*.${f}`, `*.*.${f}`, `*.*.*.${f}`]);

/** The root logger: one JSON object a line. Make a child per component: `log.child({ component: "reconciler" })`. */
export function createLogger(level: Environment["logLevel"], destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: PATHS, censor: "[redacted]" },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
