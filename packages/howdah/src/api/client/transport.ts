import { Agent, type IncomingMessage, type RequestOptions, request } from "node:http";
import { HowdahError, isHowdahError } from "../../kernel/errors.js";
import { parseLines } from "./ndjson.js";
import { errorFromProblem, unreachable } from "./problem.js";

/** Where the API is: the socket needs no key, since its file mode says who may use it. */
export type Target = { readonly socketPath: string } | { readonly url: string; readonly apiKey: string };

interface Call {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Under `/api`, with its parts percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** How long the answer may take; streams: until its head. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** The parsed answer; undefined where there is none (204). */
  json<T>(call: Call): Promise<T>;
  /** The answer as it came. */
  text(call: Call): Promise<string>;
  /** One value a line, as they come. Ends quietly when the signal is aborted, throws when the connection breaks off. */
  lines(call: Call): AsyncGenerator<unknown>;
}

const ANSWER_TIMEOUT_MS = 60_000;

/**
 * HTTP with node:http alone: a command that lists services is measured against an empty Node process, and fetch
 * costs tens of milliseconds to load. Connections are not kept alive, so the process ends when its work has.
 */
export function createTransport(target: Target): Transport {
  const base = connectionOptions(target);
  const where = "socketPath" in target ? target.socketPath : target.url;
  const agent = new Agent({ keepAlive: false });

  function send(call: Call): Promise<IncomingMessage> {
    const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const headers: Record<string, string | number> = { accept: "application/json" };
    if (payload !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = payload.byteLength;
    }
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        ...base,
        agent,
        method: call.method,
        path: `/api${call.path}${queryText(call.query)}`,
        headers: { ...base.headers, ...headers },
      };
      if (call.signal !== undefined) options.signal = call.signal;
      const outgoing = request(options, (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      const limitMs = call.timeoutMs ?? ANSWER_TIMEOUT_MS;
      const timer = setTimeout(() => {
        outgoing.destroy(new HowdahError("TIMEOUT", `the server did not answer within ${limitMs} ms`));
      }, limitMs);
      outgoing.once("error", (error) => {
        clearTimeout(timer);
        reject(failure(error, call.signal));
      });
      outgoing.end(payload);
    });
  }

  function failure(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    return isHowdahError(error) ? error : unreachable(where, error);
  }

  async function read(response: IncomingMessage, signal: AbortSignal | undefined): Promise<string> {
    response.setEncoding("utf8");
    let whole = "";
    try {
      for await (const chunk of response) whole += chunk;
    } catch (error) {
      throw failure(error, signal);
    }
    return whole;
  }

  return {
    async json<T>(call: Call): Promise<T> {
      const response = await send(call);
      const body = parse(await read(response, call.signal));
      const status = response.statusCode ?? 0;
      if (status >= 400) throw errorFromProblem(status, body);
      return body as T;
    },

    async text(call: Call): Promise<string> {
      const response = await send(call);
      const body = await read(response, call.signal);
      const status = response.statusCode ?? 0;
      if (status >= 400) throw errorFromProblem(status, parse(body));
      return body;
    },

    async *lines(call: Call): AsyncGenerator<unknown> {
      const response = await send(call);
      const status = response.statusCode ?? 0;
      if (status >= 400) throw errorFromProblem(status, parse(await read(response, call.signal)));
      response.setEncoding("utf8");
      try {
        for await (const value of parseLines(response)) {
          // After the head has gone out, an error can only come as a line of its own.
          if (isProblemLine(value)) throw errorFromProblem(500, value.problem);
          yield value;
        }
      } catch (error) {
        if (call.signal?.aborted) return;
        throw failure(error, call.signal);
      } finally {
        response.destroy();
      }
    },
  };
}

function connectionOptions(target: Target): RequestOptions {
  if ("socketPath" in target) return { socketPath: target.socketPath, headers: { host: "localhost" } };
  const url = URL.canParse(target.url) ? new URL(target.url) : undefined;
  if (url?.protocol !== "http:") {
    throw new HowdahError("INVALID_INPUT", `'${target.url}' is not an http URL`, {
      hint: "Write it as http://127.0.0.1:7700.",
    });
  }
  return {
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 80 : Number(url.port),
    headers: { host: url.host, authorization: `Bearer ${target.apiKey}` },
  };
}

function queryText(query: Call["query"]): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) parts.set(name, String(value));
  return parts.size === 0 ? "" : `?${parts}`;
}

function parse(body: string): unknown {
  if (body === "") return undefined;
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new HowdahError("INTERNAL", "the answer is not JSON; is this really Howdah's API?", { cause });
  }
}

function isProblemLine(value: unknown): value is { problem: unknown } {
  return typeof value === "object" && value !== null && "problem" in value;
}
