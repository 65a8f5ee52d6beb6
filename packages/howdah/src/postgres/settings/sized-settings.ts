import type { Major, Settings } from "../../spec/index.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/**
 * Settings made for a service's memory: the usual proportions (a quarter for shared buffers, three quarters assumed
 * cached), held within bounds that make sense at both ends. The user's own settings and ALTER SYSTEM win over them.
 */
export function sizedSettings(memoryBytes: number, major: Major): Settings {
  return {
    shared_buffers: size(clamp(memoryBytes / 4, 16 * MIB, 16 * GIB)),
    effective_cache_size: size(clamp((memoryBytes / 4) * 3, 48 * MIB, 1024 * GIB)),
    // Each sort of each connection may take it: a hundred connections must not outgrow the memory by much.
    work_mem: size(clamp(memoryBytes / 128, 4 * MIB, 128 * MIB)),
    maintenance_work_mem: size(clamp(memoryBytes / 16, 16 * MIB, 2 * GIB)),
    // Room between checkpoints; it is disk, and recovery after a crash has to read it.
    min_wal_size: size(clamp(memoryBytes / 8, 64 * MIB, 2 * GIB)),
    max_wal_size: size(clamp(memoryBytes, 256 * MIB, 16 * GIB)),
    // Flash storage: a random read costs hardly more than the next one.
    random_page_cost: "1.1",
    // Workers of 18 stay awake and cost memory in every server, also in one that does nothing.
    ...(major >= 18 ? { io_method: "sync" } : {}),
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** In PostgreSQL's units, rounded down to whole MB: 134217728 → `128MB`, 2147483648 → `2GB`. */
function size(bytes: number): string {
  const mib = Math.floor(bytes / MIB);
  return mib % 1024 === 0 ? `${mib / 1024}GB` : `${mib}MB`;
}
