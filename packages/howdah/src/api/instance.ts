import { randomUUID } from "node:crypto";
import { fastify } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";

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
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  return app;
}
