import { HowdahError } from "../../kernel/errors.js";
import type { Settings } from "../../spec/index.js";
import type { SettingInfo } from "../distribution/index.js";
import { checkValue } from "./check-value.js";
import { isOwned, ownedLimit } from "./owned-settings.js";
import { UNLISTED } from "./setting-facts.js";

/** What the binaries say about their settings, by name in lower case. */
export type SettingDescriptions = ReadonlyMap<string, SettingInfo>;

/**
 * Refuses settings that the server would refuse, as far as can be told without it; before anything is written.
 * `describe` null (binaries not installed yet): only what does not depend on them is checked.
 * Throws SETTING_OWNED, SETTING_INVALID.
 */
export function checkSettings(settings: Readonly<Settings>, describe: SettingDescriptions | null): void {
  for (const [given, value] of Object.entries(settings)) checkSetting(given, value, describe);
}

function checkSetting(given: string, value: string, describe: SettingDescriptions | null): void {
  const name = given.toLowerCase();
  if (isOwned(name)) {
    throw new HowdahError("SETTING_OWNED", `setting '${given}' is Howdah's own`, { fields: { setting: given } });
  }
  const limit = ownedLimit(name, value);
  if (limit !== null) {
    throw new HowdahError("SETTING_OWNED", `${name} cannot be '${value}': ${limit}`, { fields: { setting: given } });
  }
  if (value.includes("\0")) throw invalid(given, `the value of '${given}' holds a NUL character`);
  // Names with a dot belong to extensions, which may not even be installed yet.
  if (describe === null || name.includes(".")) return;
  const description = describe.get(name);
  if (description === undefined) {
    if (UNLISTED.has(name)) return;
    const near = nearest(name, describe.keys());
    throw new HowdahError("SETTING_INVALID", `PostgreSQL has no setting '${given}'`, {
      fields: { setting: given },
      ...(near === undefined ? {} : { hint: `Did you mean '${near}'?` }),
    });
  }
  if (description.context === "internal") throw invalid(given, `setting '${given}' cannot be changed`);
  const fault = checkValue(name, value, description);
  if (fault !== null) throw invalid(given, `${given}: '${value}' ${fault}`);
}

function invalid(setting: string, message: string): HowdahError {
  return new HowdahError("SETTING_INVALID", message, { fields: { setting } });
}

/** What putting the change into force takes. Names that the binaries do not know count as needing a restart, except an
 *  extension's. */
export function changeNeeds(changed: readonly string[], describe: SettingDescriptions): "reload" | "restart" {
  const needsRestart = (given: string) => {
    const name = given.toLowerCase();
    return name.includes(".") ? false : (describe.get(name)?.context ?? "postmaster") === "postmaster";
  };
  return changed.some(needsRestart) ? "restart" : "reload";
}

function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of candidates) {
    const d = distance(name, candidate, bestDistance);
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}

/** Levenshtein distance; anything from `limit` on may be told as `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted));
    }
    row = next;
  }
  return row[b.length] ?? limit;
}
