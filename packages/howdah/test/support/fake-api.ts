/**
 * A stand-in for the server: answers on the socket of an installation what a test tells it to, and keeps what it was
 * asked. For the command line's own manners (what it sends, prints and exits with) no PostgreSQL is needed.
 */
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { dirname } from "node:path";
import { layoutOf } from "../../src/runtime/layout.js";

export interface Asked {
  readonly method: string;
  /** Under `/api`, with its query. */
  readonly path: string;
  readonly body: unknown;
}

/** A value is sent as JSON; an AsyncIterable as JSON lines; a Problem as an error. */
type Answer = (asked: Asked) => unknown;

export class Problem {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly hint = "The hint as sent.",
  ) {}
}

export class FakeApi implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #routes: { pattern: RegExp; answer: Answer }[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const asked = {
          method: request.method ?? "",
          path: (request.url ?? "").replace(/^\/api/, ""),
          body: text === "" ? undefined : JSON.parse(text),
        };
        this.asked.push(asked);
        void this.#answer(asked, response);
      });
    });
  }

  static async listen(home: string): Promise<FakeApi> {
    const fake = new FakeApi();
    const { apiSocket } = layoutOf(home);
    mkdirSync(dirname(apiSocket), { recursive: true, mode: 0o700 });
    await new Promise<void>((resolve) => fake.#server.listen(apiSocket, resolve));
    return fake;
  }

  /** `route` is a method and a pattern of the path, such as `GET /external-services`; later ones win. */
  on(route: string, answer: Answer): this {
    this.#routes.unshift({ pattern: new RegExp(`^${route}(\\?.*)?$`), answer });
    return this;
  }

  requests(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`);
  }

  async #answer(asked: Asked, response: import("node:http").ServerResponse): Promise<void> {
    const route = this.#routes.find(({ pattern }) => pattern.test(`${asked.method} ${asked.path}`));
    const missing = new Problem(404, "NOT_FOUND", `no answer for ${asked.method} ${asked.path}`);
    const value = route === undefined ? missing : route.answer(asked);
    if (value instanceof Problem) {
      const { status, code, detail, hint } = value;
      response.writeHead(status, { "content-type": "application/problem+json" });
      response.end(
        JSON.stringify({
          type: "about:blank",
          title: code,
          detail,
          status,
          extensions: { code, hint, request_id: "r1" },
        }),
      );
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    if (typeof value === "object" && value !== null && Symbol.asyncIterator in value) {
      for await (const line of value as AsyncIterable<unknown>) {
        if (response.destroyed) return;
        response.write(`${JSON.stringify(line)}\n`);
      }
      response.end();
    } else {
      response.end(JSON.stringify(value));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
