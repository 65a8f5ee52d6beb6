/** Control's views in the shapes of the wire: snake_case, ISO 8601 in UTC. */
import type { z } from "zod";
import type {
  CertificateView,
  Check,
  ConnectionView,
  EngineView,
  GatewayView,
  ServiceView,
  TrashView,
} from "../control/types.js";
import type { ApiKeyRecord, EventRecord } from "../store/index.js";
import { tempsSsl } from "./endpoint-parameters.js";
import { PARAMETER_SCHEMA, parametersOf } from "./parameters.js";
import type { ApiKey, Certificate, DoctorCheck, Engine, Event, Gateway, TrashEntry } from "./schemas/installation.js";
import type { Connection, ExternalServiceDetails, ExternalServiceInfo } from "./schemas/service.js";

export function wireService(view: ServiceView): z.infer<typeof ExternalServiceInfo> {
  return {
    id: view.id,
    name: view.name,
    service_type: "postgres",
    status: view.state,
    version: view.version ?? String(view.major),
    connection_info: view.uri,
    created_at: isoTime(view.createdAt),
    updated_at: isoTime(view.updatedAt),
    project: view.project,
    slug: view.slug,
    origin: view.origin,
    status_detail: view.stateDetail,
    desired: view.desired,
    busy: view.busy,
    endpoint: { ...view.endpoint },
    mode: view.mode.kind === "flash" ? { kind: "flash", timeout_ms: view.mode.timeoutMs } : { kind: view.mode.kind },
    ssl_mode: tempsSsl(view.ssl),
    listen: view.policy.listen,
    allow: [...view.policy.allow],
    hold_ms: view.policy.holdMs,
    sleep: {
      awake_because: view.sleep.awakeBecause,
      connections: view.sleep.connections,
      wakes: view.sleep.wakes,
      last_wake_ms: view.sleep.lastWakeMs,
      last_wake_at: isoTimeOrNull(view.sleep.lastWakeAt),
      asleep_since: isoTimeOrNull(view.sleep.asleepSince),
      asleep_ms: view.sleep.asleepMs,
    },
    engine: view.engine,
    image: view.image,
    pid: view.pid,
    data_bytes: view.dataBytes,
    memory_bytes: view.memoryBytes,
    notices: [...view.notices],
  };
}

export function wireDetails(view: ServiceView): z.infer<typeof ExternalServiceDetails> {
  return {
    service: wireService(view),
    current_parameters: parametersOf(view),
    parameter_schema: PARAMETER_SCHEMA,
  };
}

export function wireConnection(view: ConnectionView): z.infer<typeof Connection> {
  const { serviceId, since, ...same } = view;
  return { ...same, service_id: serviceId, since: isoTime(since) };
}

export function wireGateway(view: GatewayView): z.infer<typeof Gateway> {
  return {
    pid: view.pid,
    version: view.version,
    started_at: isoTimeOrNull(view.startedAt),
    draining: view.draining.map(({ pid, sessions }) => ({ pid, sessions })),
  };
}

export function wireCertificate(view: CertificateView): z.infer<typeof Certificate> {
  return { cert: view.cert, own: view.own, not_after: isoTime(view.notAfter), names: [...view.names] };
}

export function wireEngine(view: EngineView): z.infer<typeof Engine> {
  return {
    major: view.major,
    version: view.version,
    kind: view.kind,
    installed: view.installed,
    path: view.path,
    services: view.services,
    end_of_life: view.endOfLife,
  };
}

export function wireTrash(view: TrashView): z.infer<typeof TrashEntry> {
  return {
    id: view.id,
    project: view.project,
    name: view.name,
    major: view.major,
    removed_at: isoTime(view.removedAt),
    expires_at: isoTime(view.expiresAt),
  };
}

export function wireEvent(event: EventRecord): z.infer<typeof Event> {
  return {
    id: event.id,
    at: isoTime(event.at),
    service_id: event.serviceId,
    kind: event.kind,
    message: event.message,
  };
}

export function wireKey(record: ApiKeyRecord): z.infer<typeof ApiKey> {
  return {
    id: record.id,
    name: record.name,
    created_at: isoTime(record.createdAt),
    last_used_at: isoTimeOrNull(record.lastUsedAt),
  };
}

export function wireCheck(check: Check): z.infer<typeof DoctorCheck> {
  return { ...check };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function isoTimeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
