/** Spec's own schemas under the names that they have in the OpenAPI document; recursive ones need one. */
import { z } from "zod";
import { App, Change, Expression, InitScript, Service, Stack, StackPlan } from "../../spec/index.js";
import { ExternalServiceInfo } from "./service.js";

for (const [id, schema] of Object.entries({ App, Change, Expression, InitScript, Service, Stack, StackPlan })) {
  z.globalRegistry.add(schema, { id });
}

export { Stack, StackPlan };

export const ApplyResult = z
  .object({
    plan: StackPlan,
    services: z.array(ExternalServiceInfo).describe("Now wanted running; wait for them"),
    apps: z.array(z.object({ name: z.string(), command: z.string().describe("How to start it") })),
  })
  .meta({ id: "ApplyResult" });

export const DownRequest = z
  .strictObject({ volumes: z.boolean().default(false).describe("Remove the services too, to the trash") })
  .meta({ id: "DownRequest" });
