/** The external-services part of the contract, with its names. What Howdah adds stands beside it, as required fields. */
import { z } from "zod";
import { SERVICE_STATES } from "../../spec/index.js";
import type { WireConnection, WireService, WireServiceDetails } from "../client/index.js";

/** The largest that the contract's int32 holds. */
const MAX_ID = 2_147_483_647;
export const Id = z.int().min(1).max(MAX_ID);
export const IdParams = z.object({ id: z.coerce.number().int().min(1).max(MAX_ID) });
const Flag = z.enum(["true", "false"]).transform((v) => v === "true");
export const RevealQuery = z.object({
  reveal: Flag.default(false).describe("Show the password; otherwise it is ***"),
});
export const WaitQuery = z.object({
  wait: Flag.default(true).describe("false: answer as soon as the wish is stored; else wait for it, at most 60 s"),
});
export const FollowFlag = Flag.default(false);

export const ServiceTypeRoute = z.enum(["postgres"]).meta({ id: "ServiceTypeRoute" });

const Sleep = z
  .object({
    awake_because: z.string().nullable().describe("Why the server runs right now; null when it does not"),
    connections: z.int(),
    wakes: z.int(),
    last_wake_ms: z.number().nullable().describe("From a client's wish until the server took connections"),
    last_wake_at: z.string().nullable(),
    asleep_since: z.string().nullable().describe("null: it does not sleep"),
    asleep_ms: z.number().describe("All time asleep, the present sleep included"),
  })
  .meta({ id: "ServiceSleep" });

export const ExternalServiceInfo = z
  .object({
    id: Id,
    name: z.string(),
    service_type: ServiceTypeRoute,
    status: z.string().describe(`One of ${SERVICE_STATES.join(", ")}`),
    version: z.string().nullable(),
    connection_info: z.string().nullable().describe("URI, with *** for the password unless revealed"),
    created_at: z.string(),
    updated_at: z.string(),
    project: z.string(),
    slug: z.string(),
    origin: z.enum(["compose", "api"]),
    status_detail: z.string().nullable(),
    desired: z.enum(["running", "stopped", "deleted"]),
    busy: z.boolean().describe("True while a wish is being carried out"),
    endpoint: z.object({ host: z.string(), port: z.int() }).describe("Where a client on this machine connects to"),
    mode: z.object({
      kind: z.enum(["regular", "flash"]),
      timeout_ms: z.int().optional().describe("flash only: how long without a client until it sleeps"),
    }),
    ssl_mode: z.enum(["disable", "allow", "require"]),
    listen: z.string().describe("IP address that is listened on"),
    allow: z.array(z.string()).describe("Networks that clients may come from; empty: any"),
    hold_ms: z.int().describe("How long a client waits for the server before it gets an error"),
    sleep: Sleep,
    engine: z.enum(["embedded", "system"]).nullable(),
    image: z.string().nullable(),
    pid: z.int().nullable(),
    data_bytes: z.int().nullable(),
    memory_bytes: z.int(),
    notices: z.array(z.string()),
  })
  .meta({ id: "ExternalServiceInfo" }) satisfies z.ZodType<WireService>;

export const Connection = z
  .object({
    service: z.string(),
    service_id: Id,
    pid: z.int().nullable().describe("The backend's process; null while the client waits for the server"),
    client: z.string().describe("Address and port, such as 127.0.0.1:50312"),
    username: z.string(),
    database: z.string(),
    application: z.string(),
    tls: z.boolean(),
    state: z.enum(["held", "connected"]),
    since: z.string(),
  })
  .meta({ id: "Connection" }) satisfies z.ZodType<WireConnection>;

export const ExternalServiceDetails = z
  .object({
    service: ExternalServiceInfo,
    current_parameters: z.record(z.string(), z.string()),
    parameter_schema: z.unknown().describe("JSON Schema of the parameters that create takes"),
  })
  .meta({ id: "ExternalServiceDetails" }) satisfies z.ZodType<WireServiceDetails>;

const ParameterMap = z
  .record(z.string(), z.unknown())
  .describe("See GET /external-services/types/postgres/parameters; set.<name> is any setting of PostgreSQL");

export const CreateExternalServiceRequest = z
  .strictObject({
    name: z.string(),
    service_type: ServiceTypeRoute,
    version: z.string().nullish(),
    parameters: ParameterMap,
    project: z.string().optional(),
    // What a Temps client that knows several machines sends for a single server.
    node_id: z.null().optional(),
    topology: z.literal("standalone").nullish(),
    members: z.array(z.never()).nullish(),
  })
  .meta({ id: "CreateExternalServiceRequest" });

export const UpdateExternalServiceRequest = z
  .strictObject({
    parameters: ParameterMap,
    docker_image: z.string().nullish().describe("Its tag must name the major version that the service has"),
  })
  .meta({ id: "UpdateExternalServiceRequest" });

export const ProviderMetadata = z
  .object({
    service_type: ServiceTypeRoute,
    display_name: z.string(),
    description: z.string(),
    icon_url: z.string(),
    color: z.string(),
  })
  .meta({ id: "ProviderMetadata" });

export const WaitAnswer = z
  .object({
    done: z.boolean().describe("Whether the wish came true"),
    service: ExternalServiceInfo.nullable().describe("null: the service is gone"),
  })
  .meta({ id: "WaitAnswer" });

export const LogLine = z
  .object({
    at: z.string().nullable().describe("ISO 8601"),
    level: z.string().nullable().describe("PostgreSQL's severity: LOG, ERROR, FATAL, …"),
    message: z.string(),
  })
  .meta({ id: "LogLine" });
