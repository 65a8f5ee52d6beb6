import type { Logger } from "../kernel/log.js";
import { describeError } from "./error-log.js";

/** 128 and the number of SIGABRT: a refusal to start has a small code, after which its keeper does not try again. */
const CRASHED = 134;
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * What comes to the control process from outside and from below. The first signal asks for an orderly end, the second
 * one does not wait for it: any moment is safe to die at, since everything is repaired at the next start. An error
 * that nobody caught leaves an unknown state behind, so the process ends as if it had been killed, and its keeper
 * starts it anew.
 */
export function watchProcess(log: Logger, onFirstSignal: () => void): Disposable {
  let asked = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (asked) {
      log.warn({ signal }, "ending at once");
      // Ended on purpose: with any other code a keeper would start it again.
      process.exit(0);
    }
    asked = true;
    log.info({ signal }, "ending");
    onFirstSignal();
  };
  const onFatal = (error: unknown) => {
    log.fatal({ err: describeError(error) }, "unforeseen error, ending");
    process.exit(CRASHED);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on("uncaughtException", onFatal);
  process.on("unhandledRejection", onFatal);
  return {
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off("uncaughtException", onFatal);
      process.off("unhandledRejection", onFatal);
    },
  };
}
