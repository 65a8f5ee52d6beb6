import { type ErrorOptions, errnoOf, HowdahError, isErrorCode } from "../../kernel/errors.js";

type Fields = NonNullable<ErrorOptions["fields"]>;

/** The HowdahError that an RFC 7807 problem stands for. A code that this version does not know becomes INTERNAL and
 *  keeps its message and hint, so an older client tells as much as a newer one. */
export function errorFromProblem(status: number, body: unknown): HowdahError {
  const problem = recordOf(body);
  const extensions = recordOf(problem["extensions"]);
  const code = textOf(extensions["code"]);
  const message = textOf(problem["detail"]) ?? textOf(problem["title"]) ?? `the server answered with HTTP ${status}`;
  const hint = textOf(extensions["hint"]);
  const fields: Record<string, Fields[string]> = {};
  for (const [name, value] of Object.entries(recordOf(extensions["fields"]))) {
    if (isFieldValue(value)) fields[name] = value;
  }
  const requestId = textOf(extensions["request_id"]);
  if (requestId !== undefined) fields["request_id"] = requestId;
  const known = code !== undefined && isErrorCode(code) ? code : "INTERNAL";
  return new HowdahError(known, message, hint === undefined ? { fields } : { fields, hint });
}

/** What a failed connection means to the user. `where` is the socket's path or the URL. */
export function unreachable(where: string, cause: unknown): HowdahError {
  const errno = errnoOf(cause) ?? "unknown";
  const fields = { errno };
  switch (errno) {
    case "ENOENT":
    case "ECONNREFUSED":
      return new HowdahError("SERVER_UNREACHABLE", `no server answers on '${where}'`, { cause, fields });
    case "EACCES":
    case "EPERM":
      return new HowdahError("SERVER_UNREACHABLE", `this user may not open '${where}'`, {
        cause,
        fields,
        hint: "Run the command as the user that runs the server, or set HOWDAH_HOME to a folder of your own.",
      });
    default:
      return new HowdahError("SERVER_UNREACHABLE", `the connection to '${where}' broke off (${errno})`, {
        cause,
        fields,
      });
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isFieldValue(value: unknown): value is Fields[string] {
  if (Array.isArray(value)) return value.every((v) => typeof v === "string");
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
