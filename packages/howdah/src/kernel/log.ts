import { type DestinationStream, type Logger, pino } from "pino";
import type { Environment } from "./environment.js";
import { CENSORED, censor, censorText, SECRET_FIELDS } from "./redact.js";

export type { Logger } from "pino";

// What `censor` never sees: the bindings of child loggers, and what serializers make of class instances.
const PATHS = SECRET_FIELDS.flatMap((f) => [f, `*.${f}`, `*.*.${f}`, `*.*.*.${f}`]);

/** The root logger: one JSON object a line. Make a child per component: `log.child({ component: "reconciler" })`. */
export function createLogger(level: Environment["logLevel"], destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: PATHS, censor: CENSORED },
    formatters: { log: censor },
    hooks: { streamWrite: censorText },
    serializers: { err: serializeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function serializeError(error: unknown): unknown {
  return error instanceof Error ? censor({ ...pino.stdSerializers.err(error) }) : error;
}
