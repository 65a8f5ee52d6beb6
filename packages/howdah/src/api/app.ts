/**
 * The REST API as a fastify instance without a listener: `listen.ts` gives it connections, from the Unix socket and
 * from TCP. Every route's schema is its validation, its types and its part of the OpenAPI document at once.
 */
import swagger from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { HowdahError } from "../kernel/errors.js";
import type { ApiOptions } from "./deps.js";
import { describeError } from "./error-log.js";
import { type Api, newInstance, type StreamError, sendProblem } from "./instance.js";
import { problemOf, reviewedError } from "./problem.js";
import { engineRoutes } from "./routes/engines.js";
import { gatewayRoutes } from "./routes/gateway.js";
import { keyRoutes } from "./routes/keys.js";
import { metricsRoute } from "./routes/metrics.js";
import { projectRoutes } from "./routes/projects.js";
import { serverRoutes } from "./routes/server.js";
import { serviceTypeRoutes } from "./routes/service-types.js";
import { serviceRoutes } from "./routes/services.js";
import { stackRoutes } from "./routes/stacks.js";
import { trashRoutes } from "./routes/trash.js";
import { checkHost, checkKey, isTrusted } from "./transport-guard.js";

/** Call `ready()` before the first request. */
export async function buildApi(options: ApiOptions): Promise<Api> {
  const log = options.log.child({ component: "api" });
  const app = newInstance();

  app.addHook("onRequest", async (request, reply) => {
    // Answers hold credentials, and none of them is a page.
    reply.headers({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": request.id,
    });
    if (isTrusted(request.raw)) return;
    checkHost(request.raw);
    if (request.routeOptions.config.open !== true) checkKey(request.raw, options.authenticate);
  });
  app.addHook("onRequest", async (request) => {
    if (options.closing.aborted && request.routeOptions.config.whileEnding !== true) {
      throw new HowdahError("SERVER_UNREACHABLE", "the server is about to end");
    }
  });
  app.addHook("onResponse", async (request, reply) => {
    // The route's pattern, not the URL: what was asked for by name is nobody's business but the caller's.
    const route = `${request.method} ${request.routeOptions.url ?? "(none)"}`;
    const fields = { requestId: request.id, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    log.debug(fields, "request answered");
  });
  app.setNotFoundHandler((request) => {
    throw new HowdahError("NOT_FOUND", `there is no '${request.method} ${request.url.split("?", 1)[0]}'`);
  });
  app.setErrorHandler((error, request, reply) => {
    if (sendProblem(reply, error, request.id) >= 500) logFailure(error, request.id);
    return reply;
  });

  function logFailure(error: unknown, requestId: string): void {
    const fields = { requestId, err: describeError(error) };
    if (reviewedError(error) === undefined) log.error(fields, "request failed for an unforeseen reason");
    else log.warn(fields, "request failed");
  }

  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Howdah",
        version: options.version,
        description:
          "Managed PostgreSQL on your own machine. The external-services part has the shapes of Temps's API, so that its clients work.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/" }],
      security: [{ bearer_auth: [] }],
      components: {
        securitySchemes: {
          bearer_auth: { type: "http", scheme: "bearer", description: "An API key. The Unix socket needs none." },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });

  const onStreamError: StreamError = (requestId) => (error) => {
    if (reviewedError(error) === undefined) logFailure(error, requestId);
    return { problem: problemOf(error, requestId) };
  };
  await app.register(
    async (scope) => {
      const api: Api = scope;
      serviceTypeRoutes(api);
      serviceRoutes(api, options, onStreamError);
      stackRoutes(api, options);
      projectRoutes(api, options);
      engineRoutes(api, options, onStreamError);
      trashRoutes(api, options);
      keyRoutes(api, options);
      gatewayRoutes(api, options);
      metricsRoute(api, options);
      serverRoutes(api, options, onStreamError);
    },
    { prefix: "/api" },
  );
  return app;
}
