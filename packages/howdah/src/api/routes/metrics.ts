import { z } from "zod";
import { METRICS_CONTENT_TYPE, renderMetrics } from "../../observe/index.js";
import type { ApiOptions } from "../deps.js";
import type { Api } from "../instance.js";

/** For a Prometheus on this machine, with an API key as its bearer token. */
export function metricsRoute(app: Api, { control, version }: ApiOptions): void {
  app.get(
    "/metrics",
    {
      schema: {
        tags: ["Server"],
        operationId: "get_metrics",
        summary: "Everything that is counted, as Prometheus reads it",
        response: {
          200: { description: "Prometheus's text format", content: { "text/plain": { schema: z.string() } } },
        },
      },
    },
    async (_request, reply) => {
      const text = await renderMetrics(await control.measurements(), { version });
      return reply.type(METRICS_CONTENT_TYPE).send(text);
    },
  );
}
