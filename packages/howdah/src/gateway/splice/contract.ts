/** What a splice is told and what it tells. */

export interface SpliceStart {
  /** Bytes of the server that were read behind its last login message: they go to the client first. */
  readonly toClient: Buffer | null;
  /** Bytes of the client that were read behind its startup: they go to the server first. */
  readonly toServer: Buffer | null;
}

export interface Splice {
  /** Resolves, once and never with an error, when both sockets are closed. */
  readonly done: Promise<void>;
  readonly bytesFromClient: number;
  readonly bytesToClient: number;
  /** Closes both sockets at once, whatever is still under way. */
  destroy(): void;
}
