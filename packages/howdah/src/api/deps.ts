import type { Control } from "../control/types.js";
import type { Logger } from "../kernel/log.js";

/** What of the running installation the API tells. */
interface InstallationInfo {
  /** http://127.0.0.1:7700 */
  readonly url: string;
  readonly home: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export interface ApiOptions {
  readonly control: Control;
  readonly log: Logger;
  /** Howdah's own. */
  readonly version: string;
  /** Asked at each request, since the port is known only after listening. */
  readonly info: () => InstallationInfo;
  /** What the file `encryption_key` holds, so that it can be put back as it was. */
  readonly recoveryKey: () => string;
  /** Begins the end of the process; resolves when its sockets are closed and its lock is free. */
  readonly shutdown: (options: { all: boolean }) => Promise<void>;
  /** Whether this API key is good; constant-time. */
  readonly authenticate: (key: string) => boolean;
  /** Aborted when the process is about to end: long polls answer, followed logs end, new requests are refused. */
  readonly closing: AbortSignal;
}
