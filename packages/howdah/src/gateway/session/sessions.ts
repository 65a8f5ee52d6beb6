import type { Socket } from "node:net";
import type { Clock } from "../../kernel/clock.js";
import type { Logger } from "../../kernel/log.js";
import type { RoleSecret } from "../../spec/index.js";
import type { ControlCalls, Endpoint, GatewayStats, RefusalReason, SessionInfo } from "../link/contract.js";
import type { Limits } from "./limits.js";

export interface Refusal {
  readonly service: number;
  readonly reason: RefusalReason;
  /** The address alone, without a port. */
  readonly client: string;
  /** Null when it had not said yet who it is. */
  readonly role: string | null;
}

export interface SessionsOptions {
  readonly control: {
    /** Rejects with an error whose `code` is an SQLSTATE when control answered with one; with anything else when
     *  control is away. */
    verifier(service: number, role: string): Promise<RoleSecret | null>;
    wake(request: ControlCalls["wake"]["params"]): Promise<void>;
  };
  readonly log: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  /** Authenticated sessions of a service; already thinned out as `GatewayNotices.activity` says. */
  onActivity(service: number, sessions: number): void;
  /** Each refusal by itself; the caller gathers them. */
  onRefused(refusal: Refusal): void;
}

/** Everything that the connections of one gateway worker share. */
export class Sessions {
  constructor(readonly options: SessionsOptions) {}

  /** Takes a connection over. The socket comes from a listener with `pauseOnConnect`, `allowHalfOpen` and `noDelay`. */
  accept(_socket: Socket, _endpoint: Endpoint | (() => Endpoint | undefined)): void {
    throw new Error("under construction");
  }

  /** The server of a service takes connections, or does not. */
  setOpen(_service: number, _open: boolean): void {
    throw new Error("under construction");
  }

  /** `GatewayCalls.close`: atomic, see there. Answers the sessions that are connected or on their way. */
  close(_service: number, _o: { unlessBusy: boolean }): number {
    throw new Error("under construction");
  }

  /** Certificate chain and key in PEM for all services; null: no TLS. Throws when OpenSSL refuses them. */
  setTls(_certificate: { readonly cert: string; readonly key: string } | null): void {
    throw new Error("under construction");
  }

  /** Authenticated sessions, of one service or (null) of all. */
  list(_service: number | null): SessionInfo[] {
    throw new Error("under construction");
  }

  stats(): Omit<GatewayStats, "rss"> {
    throw new Error("under construction");
  }

  /** Every socket that has not ended, strangers included. */
  get count(): number {
    throw new Error("under construction");
  }

  /** Authenticated sessions by service id, for `GatewayHello`. */
  get byService(): { readonly service: number; readonly count: number }[] {
    throw new Error("under construction");
  }

  /** Resolves as soon as there is no socket any more. */
  get drained(): Promise<void> {
    throw new Error("under construction");
  }

  /** Ends every connection at once. */
  endAll(): void {
    throw new Error("under construction");
  }
}
