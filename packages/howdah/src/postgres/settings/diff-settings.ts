import type { Settings } from "../../spec/index.js";

export interface SettingChange {
  readonly name: string;
  /** null: it was not there. */
  readonly from: string | null;
  /** null: it is no longer there. */
  readonly to: string | null;
}

/** What one set of settings changes in another, by name. */
export function diffSettings(from: Readonly<Settings>, to: Readonly<Settings>): SettingChange[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return names
    .map((name) => ({ name, from: from[name] ?? null, to: to[name] ?? null }))
    .filter((change) => change.from !== change.to);
}

/** For people: `work_mem = '64MB'`, or `work_mem (removed)`. */
export function formatChange(change: SettingChange): string {
  return change.to === null ? `${change.name} (removed)` : `${change.name} = '${change.to}'`;
}
