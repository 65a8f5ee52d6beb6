/** What belongs to the installation rather than to one service. */
import { z } from "zod";
import type {
  ServerStatus,
  WireCertificate,
  WireEngine,
  WireEvent,
  WireGateway,
  WireKey,
  WireTrash,
} from "../client/index.js";
import { Id } from "./service.js";

export const Gateway = z
  .object({
    pid: z.int().nullable().describe("null: it is being started"),
    version: z.string().nullable(),
    started_at: z.string().nullable(),
    draining: z
      .array(z.object({ pid: z.int(), sessions: z.int() }))
      .describe("Older ones, which only serve the connections they have"),
  })
  .meta({ id: "Gateway" }) satisfies z.ZodType<WireGateway>;

export const Status = z
  .object({
    url: z.string(),
    version: z.string(),
    home: z.string(),
    control: z.object({ pid: z.int(), started_at: z.string() }),
    gateway: Gateway,
    services: z.object({ total: z.int(), running: z.int(), sleeping: z.int() }),
  })
  .meta({ id: "ServerStatus" }) satisfies z.ZodType<ServerStatus>;

export const Health = z.object({ status: z.literal("ok"), version: z.string() }).meta({ id: "Health" });

export const Engine = z
  .object({
    major: z.int(),
    version: z.string(),
    kind: z.enum(["embedded", "system"]),
    installed: z.boolean(),
    path: z.string().nullable(),
    services: z.int(),
    end_of_life: z.boolean(),
  })
  .meta({ id: "Engine" }) satisfies z.ZodType<WireEngine>;

export const TrashEntry = z
  .object({
    id: Id,
    project: z.string(),
    name: z.string(),
    major: z.int(),
    removed_at: z.string(),
    expires_at: z.string(),
  })
  .meta({ id: "TrashEntry" }) satisfies z.ZodType<WireTrash>;

export const RestoreRequest = z
  .strictObject({
    service: z.string().min(1).describe("Name, project/name or id"),
    as: z.string().optional().describe("A new name, when the old one was taken meanwhile"),
  })
  .meta({ id: "RestoreRemovedRequest" });

export const Event = z
  .object({ id: z.int(), at: z.string(), service_id: Id.nullable(), kind: z.string(), message: z.string() })
  .meta({ id: "Event" }) satisfies z.ZodType<WireEvent>;

export const ApiKey = z
  .object({ id: Id, name: z.string(), created_at: z.string(), last_used_at: z.string().nullable() })
  .meta({ id: "ApiKey" }) satisfies z.ZodType<WireKey>;

export const CreatedApiKey = z
  .object({ key: z.string().describe("Shown this once"), record: ApiKey })
  .meta({ id: "CreatedApiKey" });

export const DoctorCheck = z
  .object({
    name: z.string(),
    status: z.enum(["ok", "warning", "error"]),
    message: z.string(),
    hint: z.string().optional(),
  })
  .meta({ id: "DoctorCheck" });

export const ConfigEntry = z.object({ name: z.string(), updated_at: z.string() }).meta({ id: "ConfigEntry" });

export const SetConfigRequest = z
  .strictObject({ value: z.string(), if_not_set: z.boolean().default(false) })
  .meta({ id: "SetConfigRequest" });

export const ShutdownRequest = z
  .strictObject({ all: z.boolean().default(false).describe("Stop every PostgreSQL server, too") })
  .meta({ id: "ShutdownRequest" });

export const Certificate = z
  .object({
    cert: z.string().describe("PEM, the server's own certificate first"),
    own: z.boolean().describe("Given by the user, instead of issued by the installation"),
    not_after: z.string(),
    names: z.array(z.string()),
  })
  .meta({ id: "Certificate" }) satisfies z.ZodType<WireCertificate>;

export const UseCertificateRequest = z
  .strictObject({
    cert: z.string().min(1).describe("PEM: the certificate, its chain behind it"),
    key: z.string().min(1).describe("PEM: the private key; kept encrypted, never shown"),
  })
  .meta({ id: "UseCertificateRequest" });
