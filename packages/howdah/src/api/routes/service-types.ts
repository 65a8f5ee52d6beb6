import { z } from "zod";
import { HowdahError } from "../../kernel/errors.js";
import type { Api } from "../instance.js";
import { PARAMETER_SCHEMA } from "../parameters.js";
import { ProviderMetadata, ServiceTypeRoute } from "../schemas/service.js";

const tags = ["External Services"];
const POSTGRES: z.infer<typeof ProviderMetadata> = {
  service_type: "postgres",
  display_name: "PostgreSQL",
  description: "Relational database management system",
  icon_url: "https://cdn.simpleicons.org/postgresql",
  color: "#336791",
};
const TypeParams = z.object({ service_type: z.string() });

/** What kinds of services there are: one. */
export function serviceTypeRoutes(app: Api): void {
  app.get(
    "/external-services/types",
    {
      schema: {
        tags,
        operationId: "get_service_types",
        summary: "List the types of services",
        response: { 200: z.array(ServiceTypeRoute) },
      },
    },
    async () => ServiceTypeRoute.options,
  );

  app.get(
    "/external-services/types/:service_type/parameters",
    {
      schema: {
        tags,
        operationId: "get_service_type_parameters",
        summary: "JSON Schema of a type's parameters",
        params: TypeParams,
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    async (request) => {
      checkType(request.params.service_type);
      return { ...PARAMETER_SCHEMA };
    },
  );

  app.get(
    "/external-services/providers/metadata",
    {
      schema: {
        tags,
        operationId: "get_providers_metadata",
        summary: "Names and colours of all types, for display",
        response: { 200: z.array(ProviderMetadata) },
      },
    },
    async () => [POSTGRES],
  );

  app.get(
    "/external-services/providers/metadata/:service_type",
    {
      schema: {
        tags,
        operationId: "get_provider_metadata",
        summary: "Name and colour of a type, for display",
        params: TypeParams,
        response: { 200: ProviderMetadata },
      },
    },
    async (request) => {
      checkType(request.params.service_type);
      return POSTGRES;
    },
  );
}

function checkType(type: string): void {
  if (ServiceTypeRoute.safeParse(type).success) return;
  throw new HowdahError("NOT_FOUND", `service type '${type}' is not offered`, {
    hint: "The types that are offered: postgres.",
  });
}
