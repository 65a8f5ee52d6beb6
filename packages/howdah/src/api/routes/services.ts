import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { ServiceView } from "../../control/types.js";
import { isHowdahError } from "../../kernel/errors.js";
import type { ApiOptions } from "../deps.js";
import type { Api, StreamError } from "../instance.js";
import { closeSignal, NDJSON_TYPE, sendLines } from "../ndjson-reply.js";
import { createFromParameters, updateFromParameters } from "../parameters.js";
import {
  Connection,
  CreateExternalServiceRequest,
  ExternalServiceDetails,
  ExternalServiceInfo,
  FollowFlag,
  IdParams,
  LogLine,
  RevealQuery,
  UpdateExternalServiceRequest,
  WaitAnswer,
  WaitQuery,
} from "../schemas/service.js";
import { wireConnection, wireDetails, wireService } from "../to-wire.js";
import { awaitWish } from "../wish.js";

const tags = ["External Services"];
/** How long an answer waits for a wish; the work goes on afterwards. */
const SETTLE_MS = 60_000;
const MAX_POLL_MS = 60_000;
const MAX_LOG_LINES = 100_000;

/** The services themselves, in the contract's shapes and with its operation ids. */
export function serviceRoutes(app: Api, options: ApiOptions, onStreamError: StreamError): void {
  const { services } = options.control;

  /** The service once its wish came true, or as it is after a minute. Throws the reason why it failed. */
  async function settled(view: ServiceView, wait: boolean, reply: FastifyReply): Promise<ServiceView> {
    if (!wait) return view;
    const signal = closeSignal(reply, options.closing);
    const answer = await awaitWish(options.control, view.id, { timeoutMs: SETTLE_MS, signal });
    return answer.view ?? view;
  }

  app.get(
    "/external-services",
    {
      schema: {
        tags,
        operationId: "list_services",
        summary: "List all services",
        querystring: z.object({ project: z.string().optional().describe("Only this project's") }),
        response: { 200: z.array(ExternalServiceInfo) },
      },
    },
    async (request) => services.list(request.query.project).map(wireService),
  );

  app.post(
    "/external-services",
    {
      schema: {
        tags,
        operationId: "create_service",
        summary: "Create a service",
        querystring: WaitQuery,
        body: CreateExternalServiceRequest,
        response: { 201: ExternalServiceInfo },
      },
    },
    async (request, reply) => {
      const { name, project, version, parameters } = request.body;
      const view = await services.create({
        ...createFromParameters({ parameters, version }),
        name,
        ...(project === undefined ? {} : { project }),
      });
      reply.code(201);
      return wireService(await settled(view, request.query.wait, reply));
    },
  );

  app.get(
    "/external-services/:id",
    {
      schema: {
        tags,
        operationId: "get_service",
        summary: "Show a service",
        params: IdParams,
        querystring: RevealQuery,
        response: { 200: ExternalServiceDetails },
      },
    },
    async (request) => wireDetails(services.get(request.params.id, { reveal: request.query.reveal })),
  );

  app.get(
    "/external-services/by-slug/:slug",
    {
      schema: {
        tags,
        operationId: "get_service_by_slug",
        summary: "Show a service by its slug",
        params: z.object({ slug: z.string() }),
        querystring: RevealQuery,
        response: { 200: ExternalServiceDetails },
      },
    },
    async (request) => wireDetails(services.bySlug(request.params.slug, { reveal: request.query.reveal })),
  );

  app.get(
    "/external-services/find",
    {
      schema: {
        tags,
        operationId: "find_service",
        summary: "Show a service by its name",
        querystring: RevealQuery.extend({
          name: z.string().min(1).describe("Name, project/name or slug"),
          project: z.string().optional().describe("Where to look for a bare name first"),
        }),
        response: { 200: ExternalServiceDetails },
      },
    },
    async (request) => {
      const { name, project, reveal } = request.query;
      const found = services.find(name, project);
      return wireDetails(reveal ? services.get(found.id, { reveal }) : found);
    },
  );

  app.put(
    "/external-services/:id",
    {
      schema: {
        tags,
        operationId: "update_service",
        summary: "Change a service's parameters",
        description: "Parameters that are not named stay as they are; a setting of null is taken away.",
        params: IdParams,
        querystring: WaitQuery,
        body: UpdateExternalServiceRequest,
        response: { 200: ExternalServiceInfo },
      },
    },
    async (request, reply) => {
      const { parameters, docker_image: dockerImage } = request.body;
      const { id } = request.params;
      const change = updateFromParameters({ parameters, dockerImage }, services.get(id));
      return wireService(await settled(await services.update(id, change), request.query.wait, reply));
    },
  );

  app.delete(
    "/external-services/:id",
    {
      schema: {
        tags,
        operationId: "delete_service",
        summary: "Remove a service; it is kept in the trash for 7 days",
        params: IdParams,
        querystring: WaitQuery,
        response: { 204: z.undefined().describe("Removed") },
      },
    },
    async (request, reply) => {
      const view = services.remove(request.params.id);
      try {
        await settled(view, request.query.wait, reply);
      } catch (error) {
        // Gone before the first look.
        if (!isHowdahError(error, "SERVICE_NOT_FOUND")) throw error;
      }
      return reply.code(204).send();
    },
  );

  for (const verb of ["start", "stop", "restart"] as const) {
    app.post(
      `/external-services/:id/${verb}`,
      {
        schema: {
          tags,
          operationId: `${verb}_service`,
          summary: `${verb.charAt(0).toUpperCase()}${verb.slice(1)} a service`,
          params: IdParams,
          querystring: WaitQuery,
          response: { 200: ExternalServiceInfo },
        },
      },
      async (request, reply) =>
        wireService(await settled(services[verb](request.params.id), request.query.wait, reply)),
    );
  }

  app.get(
    "/external-services/:id/wait",
    {
      schema: {
        tags,
        operationId: "wait_for_service",
        summary: "Wait until a service is as wished (long poll)",
        description:
          "Answers when the wish came true, with its error when it failed, when the state differs from `since`, or when the time is up.",
        params: IdParams,
        querystring: z.object({
          timeout_ms: z.coerce.number().int().min(0).max(MAX_POLL_MS).default(20_000),
          since: z.string().optional().describe("status|status_detail as last seen; absent: only the end is answered"),
        }),
        response: { 200: WaitAnswer },
      },
    },
    async (request, reply) => {
      const { done, view } = await awaitWish(options.control, request.params.id, {
        timeoutMs: request.query.timeout_ms,
        since: request.query.since,
        signal: closeSignal(reply, options.closing),
      });
      return { done, service: view === null ? null : wireService(view) };
    },
  );

  app.get(
    "/external-services/:id/connections",
    {
      schema: {
        tags,
        operationId: "list_service_connections",
        summary: "Who is connected to a service, or waits for it",
        params: IdParams,
        response: { 200: z.array(Connection) },
      },
    },
    async (request) => {
      const { id } = services.get(request.params.id);
      return (await options.control.connections(id)).map(wireConnection);
    },
  );

  app.get(
    "/external-services/:id/logs",
    {
      schema: {
        tags,
        operationId: "get_service_logs",
        summary: "The server's log, one JSON object a line",
        params: IdParams,
        querystring: z.object({
          lines: z.coerce.number().int().min(0).max(MAX_LOG_LINES).default(100).describe("How many to begin with"),
          follow: FollowFlag.describe("true: go on until the connection is closed"),
        }),
        response: { 200: { description: "A line each", content: { [NDJSON_TYPE]: { schema: LogLine } } } },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      // Before the head goes out, so that a wrong id is a plain 404.
      services.get(id);
      const signal = closeSignal(reply, options.closing);
      const lines = services.logs(id, { ...request.query, signal });
      sendLines(reply, lines, (error) => (signal.aborted ? undefined : onStreamError(request.id)(error)));
      return reply;
    },
  );
}
