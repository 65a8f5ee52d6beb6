/** A gateway worker's sessions behind a listener of their own, with a control that tests put words into. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import pg from "pg";
import { createLogger } from "../../../kernel/log.js";
import type { RoleSecret } from "../../../spec/index.js";
import type { Endpoint } from "../../link/contract.js";
import type { WakeRequest } from "../gate.js";
import { type Refusal, Sessions, type SessionsOptions } from "../index.js";

export const SERVICE = 7;

export interface FrontOptions {
  readonly endpoint?: Partial<Endpoint>;
  readonly limits?: SessionsOptions["limits"];
  readonly clock?: SessionsOptions["clock"];
  readonly verifier?: (role: string) => Promise<RoleSecret | null>;
  readonly wake?: (request: WakeRequest) => Promise<void>;
}

export class Front implements AsyncDisposable {
  readonly sessions: Sessions;
  readonly wakes: WakeRequest[] = [];
  readonly refusals: Refusal[] = [];
  readonly activity: number[] = [];
  readonly asked: string[] = [];
  endpoint: Endpoint;
  verifier: (role: string) => Promise<RoleSecret | null>;
  wake: (request: WakeRequest) => Promise<void>;
  readonly #server: Server;

  private constructor(server: Server, o: FrontOptions) {
    this.#server = server;
    this.verifier = o.verifier ?? (async () => null);
    this.wake = o.wake ?? (async () => undefined);
    this.endpoint = {
      id: SERVICE,
      title: "shop/db",
      major: 18,
      host: "127.0.0.1",
      port: (server.address() as AddressInfo).port,
      ssl: "allow",
      allow: [],
      holdMs: 20_000,
      socketPath: "/nowhere/.s.PGSQL.5432",
      open: true,
      ...o.endpoint,
    };
    this.sessions = new Sessions({
      control: {
        verifier: (_service, role) => {
          this.asked.push(role);
          return this.verifier(role);
        },
        wake: (request) => {
          this.wakes.push(request);
          return this.wake(request);
        },
      },
      log: createLogger("silent"),
      ...(o.limits === undefined ? {} : { limits: o.limits }),
      ...(o.clock === undefined ? {} : { clock: o.clock }),
      onActivity: (_service, sessions) => this.activity.push(sessions),
      onRefused: (refusal) => this.refusals.push(refusal),
    });
    server.on("connection", (socket: Socket) => this.sessions.accept(socket, () => this.endpoint));
  }

  static async open(o: FrontOptions = {}): Promise<Front> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    server.listen({ host: "127.0.0.1", port: 0, backlog: 4_096 });
    await once(server, "listening");
    return new Front(server, o);
  }

  get port(): number {
    return this.endpoint.port;
  }

  client(o: pg.ClientConfig = {}): pg.Client {
    const client = new pg.Client({
      host: "127.0.0.1",
      port: this.port,
      user: "app",
      password: "right",
      database: "postgres",
      ...o,
    });
    // A connection that breaks is told by the query under way; 'error' alone would end the test run.
    client.on("error", () => undefined);
    return client;
  }

  /** Logs in, asks one thing, leaves. */
  async ask(o: pg.ClientConfig = {}, sql = "SELECT 1 AS answer"): Promise<unknown> {
    const client = this.client(o);
    await client.connect();
    try {
      return (await client.query(sql)).rows[0]?.answer;
    } finally {
      await client.end();
    }
  }

  /** The error that a login ends with, without its stack. */
  async refusal(o: pg.ClientConfig = {}): Promise<{ code: string; message: string; hint: string; detail: string }> {
    try {
      await this.ask(o);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const { code = "", message, hint = "", detail = "" } = error;
      return { code, message, hint, detail };
    }
    throw new Error("the login was not refused");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.sessions.endAll();
    await this.sessions.drained;
  }
}
