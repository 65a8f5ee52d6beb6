/** POSTGRES_INITDB_ARGS as words for initdb, without those that Howdah decides itself. */
import type { Place } from "../../kernel/errors.js";
// Not by way of the room's index: reading a file should not load what runs servers.
import { parseInitdbOptions } from "../../postgres/cluster/initdb-options.js";
import { type Context, reported } from "./context.js";
import { shellWords } from "./shell-words.js";

/** Options with a value. */
const OWNED_WITH_VALUE = ["-A", "--auth", "--auth-host", "--auth-local", "-D", "--pgdata", "-U", "--username"];
const OWNED_FILES = ["--pwfile", "-X", "--waldir", "-L"];
const OWNED_ALONE = ["-W", "--pwprompt", "-N", "--no-sync", "-S", "--sync-only", "-n", "--no-clean", "-d", "--debug"];
/** Says what Howdah does anyway. */
const SAME = /^(--auth(-host|-local)?|-A)=?scram-sha-256$/;

export function initdbWords(
  context: Context,
  written: { readonly text: string; readonly place: Place } | undefined,
  service: string,
): string[] {
  if (written === undefined) return [];
  const words = shellWords(written.text);
  if (words === undefined) {
    context.report.error("command", `a quote in POSTGRES_INITDB_ARGS of '${service}' is not closed`, written.place);
    return [];
  }
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const name = word.startsWith("--") ? (word.split("=")[0] ?? word) : word.slice(0, 2);
    const takesValue = OWNED_WITH_VALUE.includes(name) || OWNED_FILES.includes(name);
    if (!takesValue && !OWNED_ALONE.includes(name)) {
      kept.push(word);
      continue;
    }
    const separate = takesValue && word === name;
    const value = separate ? (words[++i] ?? "") : "";
    if (!SAME.test(separate ? `${name}=${value}` : word)) {
      const message = `'${name}' in POSTGRES_INITDB_ARGS of '${service}' has no effect; Howdah decides it`;
      context.report.warning("not-done", message, written.place);
    }
  }
  // The same check as when the cluster is made, but here it can tell the line.
  return reported(context, "initdb-args", written.place, () => parseInitdbOptions(kept)) === undefined ? [] : kept;
}
