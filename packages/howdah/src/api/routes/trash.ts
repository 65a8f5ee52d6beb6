import { z } from "zod";
import type { ApiOptions } from "../deps.js";
import type { Api } from "../instance.js";
import { RestoreRequest, TrashEntry } from "../schemas/installation.js";
import { ExternalServiceInfo } from "../schemas/service.js";
import { wireService, wireTrash } from "../to-wire.js";

const tags = ["Trash"];

/** What was removed, for as long as it can be had back. */
export function trashRoutes(app: Api, options: ApiOptions): void {
  const { trash } = options.control;

  app.get(
    "/trash",
    {
      schema: {
        tags,
        operationId: "list_trash",
        summary: "List removed services",
        response: { 200: z.array(TrashEntry) },
      },
    },
    async () => trash.list().map(wireTrash),
  );

  app.post(
    "/trash/restore",
    {
      schema: {
        tags,
        operationId: "restore_removed_service",
        summary: "Put a removed service back",
        description: "Answers when the wish is stored; wait for the service.",
        body: RestoreRequest,
        response: { 200: ExternalServiceInfo },
      },
    },
    async (request) => {
      const { service, as } = request.body;
      // Names begin with a letter, so digits alone are an id.
      const nameOrId = /^\d+$/.test(service) ? Number(service) : service;
      return wireService(await trash.restore(nameOrId, as === undefined ? {} : { as }));
    },
  );
}
