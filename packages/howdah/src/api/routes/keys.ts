import { z } from "zod";
import type { ApiOptions } from "../deps.js";
import type { Api } from "../instance.js";
import { ApiKey, CreatedApiKey } from "../schemas/installation.js";
import { IdParams } from "../schemas/service.js";
import { wireKey } from "../to-wire.js";

const tags = ["API keys"];
const CreateKeyRequest = z.strictObject({ name: z.string().min(1).max(100) }).meta({ id: "CreateApiKeyRequest" });

/** Keys for clients that come over TCP. */
export function keyRoutes(app: Api, options: ApiOptions): void {
  const { keys } = options.control;

  app.get(
    "/keys",
    {
      schema: {
        tags,
        operationId: "list_api_keys",
        summary: "List the API keys; the keys themselves are not kept",
        response: { 200: z.array(ApiKey) },
      },
    },
    async () => keys.list().map(wireKey),
  );

  app.post(
    "/keys",
    {
      schema: {
        tags,
        operationId: "create_api_key",
        summary: "Create an API key, shown this once",
        body: CreateKeyRequest,
        response: { 201: CreatedApiKey },
      },
    },
    async (request, reply) => {
      const { key, record } = keys.create(request.body.name);
      reply.code(201);
      return { key, record: wireKey(record) };
    },
  );

  app.delete(
    "/keys/:id",
    {
      schema: {
        tags,
        operationId: "remove_api_key",
        summary: "Remove an API key; clients that use it are refused at once",
        params: IdParams,
        response: { 204: z.undefined().describe("Removed") },
      },
    },
    async (request, reply) => {
      keys.remove(request.params.id);
      return reply.code(204).send();
    },
  );
}
