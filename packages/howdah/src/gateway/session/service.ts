/** What the sessions of one service share within this worker. */
import type { SessionInfo } from "../link/contract.js";
import { BackendLine } from "./backend-line.js";
import type { Gate } from "./gate.js";
import type { Limits } from "./limits.js";
import { Line } from "./line.js";

export class Service {
  readonly logins: Line;
  readonly backends: BackendLine;
  /** Authenticated sessions, held ones included. */
  readonly sessions = new Set<{ readonly info: SessionInfo }>();

  constructor(
    readonly id: number,
    readonly gate: Gate,
    limits: Limits,
  ) {
    this.logins = new Line(limits.serverLogins);
    this.backends = new BackendLine(limits.backendRetryMs);
  }
}
