import { randomUUID } from "node:crypto";
import { type FastifyReply, fastify } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { PROBLEM_TYPE, problemOf } from "./problem.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Answered without a key: tells nothing about the installation's contents. */
    open?: boolean;
    /** Answered although the process is about to end. */
    whileEnding?: boolean;
  }
}

export const MIB = 1024 ** 2;

/** Turns an error into the last line of a stream. */
export type StreamError = (requestId: string) => (error: unknown) => { problem: unknown };

/** The answer to a request that failed; returns its status. */
export function sendProblem(reply: FastifyReply, error: unknown, requestId: string): number {
  const problem = problemOf(error, requestId);
  if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="howdah"');
  reply.code(problem.status).type(PROBLEM_TYPE).header("x-request-id", requestId);
  // As bytes: text would get a charset parameter, which JSON types do not have.
  reply.send(Buffer.from(JSON.stringify(problem)));
  return problem.status;
}

export type Api = ReturnType<typeof newInstance>;

export function newInstance() {
  const app = fastify({
    bodyLimit: MIB,
    logger: false,
    genReqId: () => randomUUID(),
    // A name of 63 bytes, percent-encoded twice over.
    routerOptions: { maxParamLength: 512 },
    // While the process ends, requests are still answered: `shutdown` itself is one of them.
    return503OnClosing: false,
    // Paths that cannot be decoded never reach a route, nor its hooks.
    frameworkErrors: (error, request, reply) => {
      sendProblem(reply as FastifyReply, error, request.id);
    },
  }).withTypeProvider<ZodTypeProvider>();
  const parseJson = app.getDefaultJsonParser("error", "error");
  // Many clients send this header always: where a route takes no body, an empty one is none.
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "" && request.routeOptions.schema?.body === undefined) done(null, undefined);
    else void parseJson(request, String(body), done);
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  return app;
}
