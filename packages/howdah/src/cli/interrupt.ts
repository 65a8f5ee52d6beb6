import { constants } from "node:os";

/** The user ended the command: no error to print, only an exit code of 128 and the signal's number. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(readonly signalName: "SIGINT" | "SIGTERM" | "SIGHUP" = "SIGINT") {
    super("interrupted");
    this.exitCode = 128 + constants.signals[signalName];
  }
}

export interface SignalWatch {
  readonly signal: AbortSignal;
  /** Rejects with Interrupted at the first signal; never resolves. */
  readonly interrupted: Promise<never>;
  release(): void;
}

export function watchSignals(): SignalWatch {
  const abort = new AbortController();
  let reject: (reason: Interrupted) => void = () => undefined;
  const interrupted = new Promise<never>((_resolve, fail) => {
    reject = fail;
  });
  // Whoever races against it handles it; alone it must not count as an unhandled rejection.
  interrupted.catch(() => undefined);
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const listeners = names.map((name) => {
    const listener = (): void => {
      const reason = new Interrupted(name);
      abort.abort(reason);
      reject(reason);
    };
    process.on(name, listener);
    return { name, listener };
  });
  return {
    signal: abort.signal,
    interrupted,
    release: () => {
      for (const { name, listener } of listeners) process.off(name, listener);
    },
  };
}
