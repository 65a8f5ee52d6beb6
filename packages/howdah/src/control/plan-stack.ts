/** Compares a resolved Stack with the services that exist and says what `up` will do. Pure, so `howdah plan` shows
 *  exactly what `howdah up` does, and golden files hold it. */

import { formatDuration } from "../kernel/durations.js";
import { HowdahError } from "../kernel/errors.js";
import { formatSize } from "../kernel/sizes.js";
import type { Change, StackPlan } from "../spec/index.js";
import { END_OF_LIFE_MAJORS, effectiveSsl, LOOPBACK_ENDPOINT, REGULAR } from "../spec/index.js";
import type { ServiceRecord } from "../store/index.js";
import type { DesiredService } from "./resolve-stack.js";

type Policy = Pick<ServiceRecord["definition"], "mode" | "endpoint">;

interface CurrentService {
  readonly record: ServiceRecord;
  /** False when the stored password is not the wished-for one (or no longer opens the server). */
  readonly passwordMatches: (password: string) => boolean;
}

export interface PlanInput {
  readonly project: string;
  readonly desired: readonly DesiredService[];
  readonly current: readonly CurrentService[];
  /** Whether a change of these settings needs a restart. */
  readonly needsRestart: (major: number, settings: readonly string[]) => boolean;
  /** Majors whose binaries would be downloaded first. */
  readonly missingEngines: ReadonlySet<number>;
}

/** Throws VERSION_CHANGE_REFUSED, ENGINE_CHANGE_REFUSED. */
export function planStack(input: PlanInput): StackPlan {
  const notices: string[] = [];
  const changes: Change[] = [];
  for (const service of input.desired) {
    const current = input.current.find((c) => c.record.name === service.name);
    changes.push(current === undefined ? planCreate(service) : planChange(service, current, input, notices));
    noticesOf(service, current === undefined, input, notices);
  }
  for (const { record } of input.current) {
    if (record.origin !== "compose" || input.desired.some((d) => d.name === record.name)) continue;
    changes.push({
      action: "orphan",
      service: record.name,
      details: ["no longer in the file; it is left as it is"],
    });
    notices.push(
      `service '${record.name}' is no longer in the file; remove it with 'howdah services remove ${input.project}/${record.name}'`,
    );
  }
  return { project: input.project, changes, notices: [...new Set(notices)] };
}

function planCreate(service: DesiredService): Change {
  const { definition } = service;
  const details = [
    `PostgreSQL ${definition.major}${definition.image === null ? "" : ` (${definition.image})`}`,
    `database '${definition.database}' owned by role '${definition.username}'`,
    service.port === null ? "port: the first free one from 5432" : `port ${service.port}`,
  ];
  if (service.engine !== null) details.push(`the ${service.engine} engine`);
  if (service.password === null) details.push("a generated password");
  details.push(...describePolicy(null, definition));
  if (definition.memoryBytes !== null) details.push(`settings sized for ${formatSize(definition.memoryBytes)}`);
  details.push(...Object.entries(definition.settings).map(([name, value]) => `set ${name} to '${value}'`));
  if (service.initScripts.length > 0) {
    details.push(`run ${service.initScripts.map((s) => s.name).join(", ")}`);
  }
  return { action: "create", service: service.name, details };
}

function planChange(service: DesiredService, current: CurrentService, input: PlanInput, notices: string[]): Change {
  const { record } = current;
  // A server that never came to be is made anew from what the file says now.
  if (record.provisioned === null) return { ...planCreate(service), action: "create" };
  const now = service.definition;
  const was = record.definition;
  if (now.major !== was.major) {
    throw new HowdahError(
      "VERSION_CHANGE_REFUSED",
      `service '${service.name}' holds data of PostgreSQL ${was.major} and cannot be run by ${now.major}`,
      { fields: { service: service.name, part: "image", from: String(was.major), to: String(now.major) } },
    );
  }
  const details: string[] = [];
  let restart = false;
  if (service.engine !== null && record.engine !== null && service.engine !== record.engine) {
    throw new HowdahError(
      "ENGINE_CHANGE_REFUSED",
      `service '${service.name}' holds data made with the ${record.engine} engine and stays with it`,
      { fields: { service: service.name, from: record.engine, to: service.engine } },
    );
  }
  if (now.username !== was.username) {
    details.push(`create role '${now.username}'`);
    notices.push(`role '${was.username}' of service '${service.name}' stays; drop it yourself when nothing uses it`);
  } else if (service.password !== null && !current.passwordMatches(service.password)) {
    details.push(`alter the password of role '${now.username}'`);
  }
  if (now.database !== was.database) {
    details.push(`create database '${now.database}'`);
    notices.push(
      `database '${was.database}' of service '${service.name}' stays; drop it yourself when nothing uses it`,
    );
  }
  if (service.port !== null && service.port !== record.port) {
    details.push(`move the endpoint from port ${record.port} to ${service.port}`);
  }
  details.push(...describePolicy(was, now));
  if (now.memoryBytes !== was.memoryBytes) {
    details.push(
      `size the settings for ${now.memoryBytes === null ? "the default memory" : formatSize(now.memoryBytes)}`,
    );
    restart = true;
  }
  const changed = changedSettings(was.settings, now.settings);
  for (const name of changed) {
    const value = now.settings[name];
    details.push(value === undefined ? `reset ${name}` : `set ${name} to '${value}'`);
  }
  if (changed.length > 0 && input.needsRestart(now.major, changed)) restart = true;
  if (record.desired !== "running") return { action: "start", service: service.name, details };
  if (details.length === 0) return { action: "none", service: service.name, details };
  return { action: restart ? "restart" : "update", service: service.name, details };
}

/** What differs in how a service sleeps and how it is reached; against the defaults for a new one. */
function describePolicy(was: Policy | null, now: Policy): string[] {
  const before = was ?? { mode: REGULAR, endpoint: LOOPBACK_ENDPOINT };
  const details: string[] = [];
  if (JSON.stringify(before.mode) !== JSON.stringify(now.mode)) {
    details.push(
      now.mode.kind === "regular"
        ? "keep the server running"
        : `let the server sleep after ${formatDuration(now.mode.timeoutMs)} without a connection`,
    );
  }
  const [a, b] = [before.endpoint, now.endpoint];
  if (a.listen !== b.listen) details.push(`listen on ${b.listen}`);
  if (effectiveSsl(a) !== effectiveSsl(b)) details.push(`TLS: ${effectiveSsl(b)}`);
  if (a.allow.join() !== b.allow.join()) {
    details.push(
      b.allow.length === 0 ? "let clients in from any network" : `let clients in from ${b.allow.join(", ")}`,
    );
  }
  if (a.holdMs !== b.holdMs) details.push(`hold clients for up to ${formatDuration(b.holdMs)}`);
  return details;
}

/** Names whose value differs, sorted. */
export function changedSettings(
  was: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string[] {
  const names = new Set([...Object.keys(was), ...Object.keys(now)]);
  return [...names].filter((name) => was[name] !== now[name]).sort();
}

function noticesOf(service: DesiredService, isNew: boolean, input: PlanInput, notices: string[]): void {
  const { major } = service.definition;
  if (END_OF_LIFE_MAJORS.includes(major)) notices.push(endOfLifeNotice(major));
  if (isNew && input.missingEngines.has(major)) notices.push(`PostgreSQL ${major} is downloaded first`);
}

export function endOfLifeNotice(major: number): string {
  return `PostgreSQL ${major} has reached its end of life and gets no more security fixes; move to a newer major`;
}
