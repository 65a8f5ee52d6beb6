import { z } from "zod";
import type { ApiOptions } from "../deps.js";
import type { Api, StreamError } from "../instance.js";
import { NDJSON_TYPE, sendLines } from "../ndjson-reply.js";
import { publishedDocument } from "../published-document.js";
import { DoctorCheck, Event, Health, ShutdownRequest, Status } from "../schemas/installation.js";
import { isoTime, wireCheck, wireEvent, wireGateway } from "../to-wire.js";
import { requireTrusted } from "../transport-guard.js";

const tags = ["Server"];
const MAX_EVENTS = 10_000;

/** The installation itself. */
export function serverRoutes(app: Api, options: ApiOptions, onStreamError: StreamError): void {
  const { control } = options;

  app.get(
    "/health",
    {
      config: { open: true },
      schema: {
        tags,
        operationId: "get_health",
        summary: "Whether the API answers; needs no key",
        security: [],
        response: { 200: Health },
      },
    },
    async () => ({ status: "ok" as const, version: options.version }),
  );

  app.get("/openapi.json", { config: { open: true }, schema: { hide: true } }, async (_request, reply) =>
    reply.type("application/json").send(JSON.stringify(publishedDocument(app.swagger()))),
  );

  app.get(
    "/status",
    { schema: { tags, operationId: "get_status", summary: "What runs and where", response: { 200: Status } } },
    async () => {
      const { url, home, pid, startedAt } = options.info();
      const services = control.services.list();
      return {
        url,
        version: options.version,
        home,
        control: { pid, started_at: isoTime(startedAt) },
        gateway: wireGateway(control.gateway.view()),
        services: {
          total: services.length,
          running: services.filter(({ state }) => state === "running").length,
          sleeping: services.filter(({ state }) => state === "sleeping").length,
        },
      };
    },
  );

  app.get(
    "/events",
    {
      schema: {
        tags,
        operationId: "list_events",
        summary: "What happened, newest first",
        querystring: z.object({
          service_id: z.coerce.number().int().min(1).optional(),
          limit: z.coerce.number().int().min(1).max(MAX_EVENTS).optional(),
        }),
        response: { 200: z.array(Event) },
      },
    },
    async (request) => {
      const { service_id: serviceId, limit } = request.query;
      return control
        .events({ ...(serviceId === undefined ? {} : { serviceId }), ...(limit === undefined ? {} : { limit }) })
        .map(wireEvent);
    },
  );

  app.get(
    "/doctor",
    {
      schema: {
        tags,
        operationId: "run_doctor",
        summary: "Check the installation and this machine",
        response: { 200: z.array(DoctorCheck) },
      },
    },
    async () => (await control.doctor()).map(wireCheck),
  );

  app.get(
    "/server/recovery-key",
    {
      schema: {
        tags,
        operationId: "get_recovery_key",
        summary: "The installation's encryption key, over the Unix socket only",
        response: { 200: z.object({ key: z.string().describe("What the file encryption_key holds") }) },
      },
    },
    async (request) => {
      requireTrusted(request.raw, "the recovery key");
      return { key: options.recoveryKey() };
    },
  );

  app.post(
    "/server/shutdown",
    {
      config: { whileEnding: true },
      schema: {
        tags,
        operationId: "shut_down",
        summary: "End the control process",
        description:
          'PostgreSQL servers run on unless `all`. One JSON object a line: {"progress": text}, then {"done": true} when the sockets are closed.',
        body: ShutdownRequest,
        response: {
          200: {
            description: "A line each",
            content: {
              [NDJSON_TYPE]: {
                schema: z.union([z.object({ progress: z.string() }), z.object({ done: z.literal(true) })]),
              },
            },
          },
        },
      },
    },
    async (request, reply) => {
      async function* progress() {
        yield { progress: request.body.all ? "stopping every service" : "leaving services as they are" };
        await options.shutdown(request.body);
        yield { done: true };
      }
      sendLines(reply, progress(), onStreamError(request.id));
      return reply;
    },
  );
}
