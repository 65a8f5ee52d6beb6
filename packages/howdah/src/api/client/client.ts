import { HowdahError } from "../../kernel/errors.js";
import { createTransport, type Target } from "./transport.js";
import type { HowdahClient, WireEngine, WireLogLine } from "./types.js";
import { waitForService } from "./wait.js";

/** Applying a stack reads and checks everything first; stopping every server takes as long as their checkpoints. */
const LONG_MS = 300_000;

/**
 * The typed client of the REST API. Nothing is sent before the first call. Every call rejects with a HowdahError:
 * the server's own (code, message, hint as sent), SERVER_UNREACHABLE, or TIMEOUT when no answer came.
 */
export function createClient(target: Target): HowdahClient {
  const transport = createTransport(target);
  const { json, lines, text } = transport;
  const get = <T>(path: string, query = {}) => json<T>({ method: "GET", path, query });
  const services = "/external-services";
  // The server waits by default, for clients that know nothing of waiting; ours shows progress itself.
  const post = <T>(path: string, body?: unknown) => json<T>({ method: "POST", path, query: { wait: false }, body });

  return {
    status: () => get("/status"),
    services: {
      list: (options = {}) => get(services, { project: options.project }),
      details: (id, options = {}) => get(`${services}/${id}`, { reveal: options.reveal }),
      find: (name, options = {}) => get(`${services}/find`, { name, project: options.project, reveal: options.reveal }),
      create: (body) => post(services, body),
      update: (id, body) => json({ method: "PUT", path: `${services}/${id}`, query: { wait: false }, body }),
      start: (id) => post(`${services}/${id}/start`),
      stop: (id) => post(`${services}/${id}/stop`),
      restart: (id) => post(`${services}/${id}/restart`),
      remove: (id) => json({ method: "DELETE", path: `${services}/${id}`, query: { wait: false } }),
      wait: (id, options) => waitForService(transport, id, options),
      logs: (id, options) =>
        lines({
          method: "GET",
          path: `${services}/${id}/logs`,
          query: { lines: options.lines, follow: options.follow },
          signal: options.signal,
        }) as AsyncGenerator<WireLogLine>,
      connections: (id) => get(`${services}/${id}/connections`),
    },
    stacks: {
      plan: (stack) => json({ method: "POST", path: "/stacks/plan", body: stack, timeoutMs: LONG_MS }),
      apply: (stack) => json({ method: "POST", path: "/stacks/apply", body: stack, timeoutMs: LONG_MS }),
      down: (project, options) =>
        json({ method: "POST", path: `/stacks/${part(project)}/down`, body: { volumes: options.volumes } }),
    },
    projects: {
      list: () => get("/projects"),
      environment: (project, name) => get(`/projects/${part(project)}/environment/${part(name)}`),
    },
    configs: {
      set: async (project, name, value, options = {}) => {
        const body = { value, if_not_set: options.ifNotSet ?? false };
        const path = `/projects/${part(project)}/configs/${part(name)}`;
        return (await json<{ written: boolean }>({ method: "PUT", path, body })).written;
      },
      list: (project) => get(`/projects/${part(project)}/configs`),
      remove: (project, name) => json({ method: "DELETE", path: `/projects/${part(project)}/configs/${part(name)}` }),
    },
    engines: {
      list: () => get("/engines"),
      install: (major, onProgress) => installEngine(major, onProgress),
      remove: (major) => json({ method: "DELETE", path: `/engines/${major}` }),
    },
    trash: {
      list: () => get("/trash"),
      restore: (nameOrId, options = {}) => post("/trash/restore", { service: nameOrId, as: options.as }),
    },
    keys: {
      create: (name) => json({ method: "POST", path: "/keys", body: { name } }),
      list: () => get("/keys"),
      remove: (id) => json({ method: "DELETE", path: `/keys/${id}` }),
    },
    events: (options = {}) => get("/events", { service_id: options.serviceId, limit: options.limit }),
    doctor: () => get("/doctor"),
    connections: () => get("/connections"),
    // It answers when the new gateway listens, which takes as long as a process takes to start.
    restartGateway: () => json({ method: "POST", path: "/server/gateway/restart" }),
    metrics: () => text({ method: "GET", path: "/metrics" }),
    ca: () => text({ method: "GET", path: "/server/ca" }),
    certificate: () => get("/server/certificate"),
    useCertificate: (body) => json({ method: "PUT", path: "/server/certificate", body }),
    resetCertificate: () => json({ method: "DELETE", path: "/server/certificate" }),
    recoveryKey: async () => (await get<{ key: string }>("/server/recovery-key")).key,
    shutdown: (options) => shutdown(options),
  };

  async function installEngine(major: number, onProgress?: (message: string) => void): Promise<WireEngine> {
    for await (const line of lines({ method: "POST", path: `/engines/${major}` })) {
      const { progress, engine } = line as { progress?: string; engine?: WireEngine };
      if (progress !== undefined) onProgress?.(progress);
      if (engine !== undefined) return engine;
    }
    throw new HowdahError("SERVER_UNREACHABLE", "the server ended before the engine was installed");
  }

  /** The server holds its answer open until its sockets are closed and its lock is free, so that the next one can
   *  start at once. An answer that breaks off means that the process is gone, which is what was asked for. */
  async function shutdown(options: { all: boolean }): Promise<void> {
    let answered = false;
    try {
      for await (const _line of lines({ method: "POST", path: "/server/shutdown", body: options })) answered = true;
    } catch (error) {
      if (!(answered && error instanceof HowdahError && error.code === "SERVER_UNREACHABLE")) throw error;
    }
  }
}

function part(text: string): string {
  return encodeURIComponent(text);
}
