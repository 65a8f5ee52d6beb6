/**
 * Which keys the compose specification knows, and what becomes of those of a managed service. Every key of a database
 * is read, is done better by Howdah anyway, or is named in a warning: none is passed over.
 */
import type { Context } from "./context.js";
import { isNull } from "./node-access.js";
import { suggestion } from "./suggestion.js";
import type { MapNode } from "./yaml-tree.js";

const TOP_LEVEL_KEYS = [
  "version",
  "name",
  "include",
  "services",
  "networks",
  "volumes",
  "secrets",
  "configs",
  "models",
];

/** Read by the parts of this door, which say themselves what they do not do. */
const READ =
  "build command configs container_name cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset deploy env_file environment extends image mem_limit mem_reservation pids_limit ports profiles scale secrets tmpfs volumes".split(
    " ",
  );
/** Howdah checks its servers' health, restarts and stops them by itself; the others only concern containers. */
const DONE_ANYWAY =
  "attach expose healthcheck init pull_policy pull_refresh_after restart stdin_open stop_grace_period stop_signal tty".split(
    " ",
  );
const WITHOUT_EFFECT =
  "annotations blkio_config cap_add cap_drop cgroup cgroup_parent cpu_rt_period cpu_rt_runtime credential_spec depends_on develop device_cgroup_rules devices dns dns_opt dns_search domainname driver_opts entrypoint external_links extra_hosts gpus group_add hostname ipc isolation label_file labels links logging mac_address mem_swappiness memswap_limit models network_mode networks oom_kill_disable oom_score_adj pid platform post_start pre_stop privileged provider read_only runtime security_opt shm_size storage_opt sysctls ulimits use_api_socket user userns_mode uts volumes_from working_dir".split(
    " ",
  );
const SERVICE_KEYS = [...READ, ...DONE_ANYWAY, ...WITHOUT_EFFECT];

/** Why a key has no effect, where that is worth a sentence. */
const REASONS: Readonly<Record<string, string>> = {
  networks: "the service listens on 127.0.0.1, whatever the networks",
  network_mode: "the service listens on 127.0.0.1",
  depends_on: "databases are started at once and side by side",
  user: "every service runs under a system user that Howdah chooses",
  shm_size: "there is no container that limits shared memory",
  entrypoint: "PostgreSQL is started directly",
  platform: "PostgreSQL is the one of this machine's platform",
  hostname: "the service is reached by its name or at its endpoint",
  logging: "logs are kept with the service; read them with 'howdah services logs'",
};

export function checkTopLevelKeys(context: Context, root: MapNode): void {
  for (const { key, keyPlace } of root.entries) {
    if (TOP_LEVEL_KEYS.includes(key)) continue;
    if (key.startsWith("x-defang-")) {
      const hint = "Move it below the service that it is about.";
      context.report.warning("unknown-key", `'${key}' has no effect at the top level`, keyPlace, hint);
    } else if (!key.startsWith("x-")) {
      context.report.warning(
        "unknown-key",
        `unknown top-level key '${key}'`,
        keyPlace,
        suggestion(key, TOP_LEVEL_KEYS),
      );
    }
  }
}

/** Keys that no compose implementation knows, and extensions of Defang's that Howdah does not carry out. */
export function checkServiceKeys(context: Context, service: string, map: MapNode): void {
  for (const { key, keyPlace } of map.entries) {
    if (SERVICE_KEYS.includes(key) || key === "x-defang-postgres" || key === "x-howdah") continue;
    if (key.startsWith("x-defang-")) {
      const hint = suggestion(key, ["x-defang-postgres"]);
      context.report.warning("unknown-extension", `'${key}' of '${service}' is not done by Howdah`, keyPlace, hint);
    } else if (!key.startsWith("x-")) {
      const hint = suggestion(key, SERVICE_KEYS);
      context.report.warning("unknown-key", `unknown key '${key}' under 'services.${service}'`, keyPlace, hint);
    }
  }
}

export function warnWithoutEffect(context: Context, service: string, map: MapNode): void {
  for (const { key, keyPlace, value } of map.entries) {
    if (!WITHOUT_EFFECT.includes(key) || isNull(value)) continue;
    const reason = REASONS[key] === undefined ? "" : `: ${REASONS[key]}`;
    context.report.warning("not-done", `'${key}' of '${service}' has no effect${reason}`, keyPlace);
  }
}
