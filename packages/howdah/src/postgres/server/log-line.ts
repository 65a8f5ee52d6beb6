/** One entry of a server's log; the fields are those of control's LogLine. */
export interface ServerLogLine {
  /** ISO 8601 in UTC, or null where the line had no stamp. */
  readonly at: string | null;
  /** LOG, ERROR, FATAL, …; null for raw lines. */
  readonly level: string | null;
  readonly message: string;
}

/** `2026-01-31 12:00:00.123 UTC [42] LOG:  text`: the default log_line_prefix, with our log_timezone. A user may have
 *  another prefix; the time is then not known. */
const PLAIN =
  /^(?:(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d+) (?:UTC|GMT) )?.*?\b(DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY): {2}(.*)$/;
const JSON_STAMP = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d+) (?:UTC|GMT)$/;
/** What every start says about the collector taking over; it tells a reader nothing. */
const NOISE =
  /^(redirecting log output to logging collector process|ending log output to stderr|Future log output will (appear in directory|go to log destination) .*)$/;

/** Parses one line of a jsonlog or of a plain log; null for an empty line and for noise. */
export function parseLogLine(line: string): ServerLogLine | null {
  if (line.trim() === "") return null;
  const parsed = line.startsWith("{") ? parseJson(line) : parsePlain(line);
  return NOISE.test(parsed.message) ? null : parsed;
}

function parsePlain(line: string): ServerLogLine {
  const [, day, clock, level, message] = PLAIN.exec(line) ?? [];
  if (message === undefined || level === undefined) return { at: null, level: null, message: line };
  return { at: day === undefined ? null : `${day}T${clock}Z`, level, message };
}

/** Further fields of an entry, as the plain log shows them on lines of their own. */
const MORE = { detail: "DETAIL", hint: "HINT", context: "CONTEXT", statement: "STATEMENT" };

function parseJson(line: string): ServerLogLine {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line);
  } catch {
    // Some other program's output that happens to begin like JSON.
    return { at: null, level: null, message: line };
  }
  const { timestamp, error_severity: level, message } = entry;
  const [, day, clock] = JSON_STAMP.exec(String(timestamp)) ?? [];
  const more = Object.entries(MORE).flatMap(([field, label]) =>
    typeof entry[field] === "string" ? [`${label}:  ${entry[field]}`] : [],
  );
  return {
    at: day === undefined ? null : `${day}T${clock}Z`,
    level: typeof level === "string" ? level : null,
    message: [typeof message === "string" ? message : "", ...more].join("\n"),
  };
}
