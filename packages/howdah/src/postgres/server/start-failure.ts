import { type ErrorCode, HowdahError } from "../../kernel/errors.js";
import type { ServerSpec } from "../types.js";
import type { ServerLogLine } from "./log-line.js";

/** Causes that other settings would not cure: the files are then left as they are. */
const CAUSES: readonly { readonly pattern: RegExp; readonly code: ErrorCode }[] = [
  // Shared memory is made to size by the settings, although the system's words are the same.
  { pattern: /^(?!.*shared memory).*No space left on device/, code: "DISK_FULL" },
  { pattern: /could not create any Unix-domain sockets|lock file "[^"]*\.s\.PGSQL\./, code: "HOME_UNUSABLE" },
];

/** The error for a server that ended before it was ready, made from what it wrote. */
export function startFailure(spec: Pick<ServerSpec, "title">, entries: readonly ServerLogLine[]): HowdahError {
  const known = CAUSES.find(({ pattern }) => entries.some(({ message }) => pattern.test(message)));
  const log = entries.slice(-20).map(({ level, message }) => (level === null ? message : `${level}: ${message}`));
  if (known?.code === "HOME_UNUSABLE") {
    const why = entries.find(({ message }) =>
      /Unix address|Unix-domain socket path|\.s\.PGSQL\./.test(message),
    )?.message;
    return new HowdahError(
      "HOME_UNUSABLE",
      `server '${spec.title}' cannot make its socket: ${why ?? reason(entries)}`,
      {
        hint: "See that the home's 'sockets' folder belongs to Howdah and its disk is writable, then start the service again.",
        fields: { log },
      },
    );
  }
  const message = `server '${spec.title}' did not start: ${reason(entries)}`;
  return new HowdahError(known?.code ?? "POSTGRES_START_FAILED", message, { fields: { log } });
}

/** PostgreSQL's own words: the last fatal entry with what belongs to it, else whatever came last. */
function reason(entries: readonly ServerLogLine[]): string {
  const at = entries.findLastIndex(({ level }) => level === "FATAL" || level === "PANIC");
  const fatal = entries[at] ?? entries.at(-1);
  if (fatal === undefined) return "it ended without a word";
  // In a plain log these are entries of their own.
  const detail = entries[at + 1]?.level === "DETAIL" && at >= 0 ? `\nDETAIL:  ${entries[at + 1]?.message}` : "";
  return fatal.message + detail;
}
