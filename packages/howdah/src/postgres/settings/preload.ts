import type { Settings } from "../../spec/index.js";

const NAME = "shared_preload_libraries";

/**
 * The libraries that Howdah wants loaded, behind those that files and ALTER SYSTEM ask for: on the command line the whole
 * list has to be given, and the user's part of it is never lost. A wrong name of the user's stays in there and is
 * refused by the server as ever. Empty when nothing is wanted: then the files decide alone.
 */
export function preloadSettings(wanted: readonly string[], requested: Readonly<Settings>): Settings {
  if (wanted.length === 0) return {};
  const asked = requested[NAME]?.trim() ?? "";
  const present = new Set(asked.split(",").map(libraryName));
  const missing = wanted.filter((name) => !present.has(name));
  const libraries = { [NAME]: [...(asked === "" ? [] : [asked]), ...missing].join(", ") };
  return { ...libraries, ...(wanted.includes("pg_prewarm") ? prewarmSettings(requested) : {}) };
}

/** What was in the cache is written down at the stop only: a list written every five minutes would wake disks of
 *  servers that do nothing, and one that is killed starts cold anyway. */
function prewarmSettings(requested: Readonly<Settings>): Settings {
  const interval = "pg_prewarm.autoprewarm_interval";
  return interval in requested ? {} : { [interval]: "0" };
}

/** `"$libdir/pg_prewarm.so"` and `pg_prewarm` are the same library. */
function libraryName(item: string): string {
  const path = item.trim().replace(/^"(.*)"$/, "$1");
  return path.replace(/^\$libdir\//, "").replace(/\.(so|dylib)$/, "");
}
