/** The API over real sockets in a folder of its own, around a Control that the test holds. */

import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { createLogger } from "../../kernel/log.js";
import { buildApi } from "../app.js";
import { createClient, type HowdahClient } from "../client/index.js";
import { listenOnLoopback, listenOnSocket, stopListening, urlOf } from "../listen.js";
import { API_KEY, FakeControl } from "./fake-control.js";

export class ServedApi implements AsyncDisposable {
  readonly control: FakeControl;
  readonly folder: string;
  readonly socketPath: string;
  /** A new one at each opening. */
  closing = new AbortController();
  readonly shutdowns: { all: boolean }[] = [];
  shutdownError: Error | undefined;
  /** What was logged, one JSON object a line. */
  log = "";
  url = "";
  #servers: Server[] = [];

  private constructor(folder: string, control: FakeControl) {
    this.folder = folder;
    this.control = control;
    this.socketPath = join(folder, "api.sock");
  }

  static async start(control = new FakeControl()): Promise<ServedApi> {
    const served = new ServedApi(await mkdtemp(join(tmpdir(), "howdah-api-")), control);
    await served.open();
    return served;
  }

  /** Opens both doors; again after `close`, as a restarted control process would. */
  async open(): Promise<void> {
    this.closing = new AbortController();
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        this.log += String(chunk);
        done();
      },
    });
    const api = await buildApi({
      control: this.control,
      log: createLogger("debug", sink),
      version: "1.2.3",
      info: () => ({ url: this.url, home: this.folder, pid: process.pid, startedAt: 0 }),
      recoveryKey: () => "howdah-key-1:c2VjcmV0",
      shutdown: async (options) => {
        this.shutdowns.push(options);
        if (this.shutdownError !== undefined) throw this.shutdownError;
      },
      authenticate: (key) => this.control.keys.verify(key) !== undefined,
      closing: this.closing.signal,
    });
    await api.ready();
    const tcp = await listenOnLoopback(api.routing, 0, { explicit: true });
    const socket = await listenOnSocket(api.routing, this.socketPath);
    this.#servers = [tcp, socket];
    this.url = urlOf(tcp);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => stopListening(server, 0)));
    this.#servers = [];
  }

  /** By the Unix socket. */
  client(): HowdahClient {
    return createClient({ socketPath: this.socketPath });
  }

  /** By TCP, with a key. */
  remote(apiKey = API_KEY): HowdahClient {
    return createClient({ url: this.url, apiKey });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
