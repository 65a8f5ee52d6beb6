import { z } from "zod";
import type { ApiOptions } from "../deps.js";
import type { Api } from "../instance.js";
import { ConfigEntry, SetConfigRequest } from "../schemas/installation.js";
import { isoTime } from "../to-wire.js";

const tags = ["Projects"];
const ProjectParams = z.object({ project: z.string() });
const ConfigParams = ProjectParams.extend({ name: z.string() });

/** Projects, their configs (values go in and never come back), and the environments that are made of both. */
export function projectRoutes(app: Api, options: ApiOptions): void {
  const { projects, configs } = options.control;

  app.get(
    "/projects",
    {
      schema: {
        tags,
        operationId: "list_howdah_projects",
        summary: "List the projects",
        response: { 200: z.array(z.string()) },
      },
    },
    async () => projects.list(),
  );

  app.get(
    "/projects/:project/environment/:name",
    {
      schema: {
        tags,
        operationId: "get_environment",
        summary: "The resolved environment of an app, or the POSTGRES_* set of a service",
        description: "Holds secrets in clear.",
        params: ConfigParams,
        response: { 200: z.record(z.string(), z.string()) },
      },
    },
    async (request) => projects.environment(request.params.project, request.params.name),
  );

  app.get(
    "/projects/:project/configs",
    {
      schema: {
        tags,
        operationId: "list_configs",
        summary: "Names of the configs that are set; values cannot be read",
        params: ProjectParams,
        response: { 200: z.array(ConfigEntry) },
      },
    },
    async (request) =>
      configs.list(request.params.project).map(({ name, updatedAt }) => ({ name, updated_at: isoTime(updatedAt) })),
  );

  app.put(
    "/projects/:project/configs/:name",
    {
      schema: {
        tags,
        operationId: "set_config",
        summary: "Set a config",
        params: ConfigParams,
        body: SetConfigRequest,
        response: { 200: z.object({ written: z.boolean().describe("false: it was set already, and if_not_set") }) },
      },
    },
    async (request) => {
      const { project, name } = request.params;
      const { value, if_not_set: ifNotSet } = request.body;
      return { written: configs.set(project, name, value, { ifNotSet }) };
    },
  );

  app.delete(
    "/projects/:project/configs/:name",
    {
      schema: {
        tags,
        operationId: "remove_config",
        summary: "Remove a config",
        params: ConfigParams,
        response: { 204: z.undefined().describe("Removed") },
      },
    },
    async (request, reply) => {
      configs.remove(request.params.project, request.params.name);
      return reply.code(204).send();
    },
  );
}
