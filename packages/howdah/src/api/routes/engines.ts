import { z } from "zod";
import { checkMajor } from "../../spec/index.js";
import type { ApiOptions } from "../deps.js";
import type { Api, StreamError } from "../instance.js";
import { NDJSON_TYPE, progressThenResult, sendLines } from "../ndjson-reply.js";
import { Engine } from "../schemas/installation.js";
import { wireEngine } from "../to-wire.js";

const tags = ["Engines"];
const MajorParams = z.object({ major: z.coerce.number().int().describe("Major version of PostgreSQL") });

/** The PostgreSQL binaries that services run on. */
export function engineRoutes(app: Api, options: ApiOptions, onStreamError: StreamError): void {
  const { engines } = options.control;

  app.get(
    "/engines",
    {
      schema: {
        tags,
        operationId: "list_engines",
        summary: "List the engines, installed or not",
        response: { 200: z.array(Engine) },
      },
    },
    async () => (await engines.list()).map(wireEngine),
  );

  app.post(
    "/engines/:major",
    {
      schema: {
        tags,
        operationId: "install_engine",
        summary: "Install an engine",
        description:
          'One JSON object a line: {"progress": text} while it goes on, then {"engine": …}, or {"problem": …} when it failed.',
        params: MajorParams,
        response: {
          200: {
            description: "A line each",
            content: {
              [NDJSON_TYPE]: { schema: z.union([z.object({ progress: z.string() }), z.object({ engine: Engine })]) },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const major = checkMajor(request.params.major);
      const lines = progressThenResult(
        (onProgress) => engines.install(major, onProgress),
        (engine) => ({ engine: wireEngine(engine) }),
      );
      sendLines(reply, lines, onStreamError(request.id));
      return reply;
    },
  );

  app.delete(
    "/engines/:major",
    {
      schema: {
        tags,
        operationId: "remove_engine",
        summary: "Remove an installed engine that no service uses",
        params: MajorParams,
        response: { 204: z.undefined().describe("Removed") },
      },
    },
    async (request, reply) => {
      await engines.remove(checkMajor(request.params.major));
      return reply.code(204).send();
    },
  );
}
