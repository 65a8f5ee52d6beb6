/** What a session needs of its worker. */
import type { Clock } from "../../kernel/clock.js";
import type { Logger } from "../../kernel/log.js";
import type { Endpoint, RefusalReason } from "../link/contract.js";
import type { CancelTable } from "./cancel-table.js";
import type { Limits } from "./limits.js";
import type { RefusalDelay } from "./refusal-delay.js";
import type { Service } from "./service.js";
import type { TlsIdentity } from "./tls-identity.js";
import type { Verifiers } from "./verifiers.js";

export interface Shared {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly verifiers: Verifiers;
  readonly delays: RefusalDelay;
  readonly cancels: CancelTable;
  readonly mockSecret: Buffer;
  readonly tls: TlsIdentity | null;
  service(endpoint: Endpoint): Service;
  /** An authenticated session is not in `service.sessions` any more. */
  left(service: Service): void;
  cancelled(): void;
  /** A request to cancel that fits no session here. */
  strayCancel(service: number, pid: number, secret: Buffer): void;
  copied(bytes: { readonly fromClient: number; readonly toClient: number }): void;
  refused(refusal: {
    readonly service: number;
    readonly reason: RefusalReason;
    readonly client: string;
    readonly role: string | null;
  }): void;
}
