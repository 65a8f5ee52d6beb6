import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

export const NDJSON_TYPE = "application/x-ndjson";

/** Aborted when the client has gone, or with `also`. What follows a log or waits must end then. */
export function closeSignal(reply: FastifyReply, also: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, also]);
}

/**
 * Sends one JSON value a line as they come. The head has gone out by then, so an error becomes a last line
 * `{"problem": …}`, made by `onError`.
 */
export function sendLines(
  reply: FastifyReply,
  values: AsyncIterable<unknown>,
  onError: (error: unknown) => { problem: unknown } | undefined,
): void {
  async function* lines(): AsyncGenerator<string> {
    // Something must be written for the head to go out, and the client waits for it; blank lines mean nothing.
    yield "\n";
    try {
      for await (const value of values) yield `${JSON.stringify(value)}\n`;
    } catch (error) {
      const last = onError(error);
      if (last !== undefined) yield `${JSON.stringify(last)}\n`;
    }
  }
  reply.type(NDJSON_TYPE).send(Readable.from(lines(), { objectMode: false }));
}

/** Progress messages and then the result, out of a function that reports progress by a callback. */
export async function* progressThenResult<T>(
  run: (onProgress: (message: string) => void) => Promise<T>,
  resultLine: (result: T) => unknown,
): AsyncGenerator<unknown> {
  const waiting: unknown[] = [];
  let wake: () => void = () => undefined;
  const add = (line: unknown) => {
    waiting.push(line);
    wake();
  };
  let outcome: { line: unknown } | { error: unknown } | undefined;
  const finished = run((message) => add({ progress: message })).then(
    (result) => {
      outcome = { line: resultLine(result) };
      wake();
    },
    (error: unknown) => {
      outcome = { error };
      wake();
    },
  );
  while (outcome === undefined || waiting.length > 0) {
    if (waiting.length > 0) yield waiting.shift();
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  await finished;
  if ("error" in outcome) throw outcome.error;
  yield outcome.line;
}
