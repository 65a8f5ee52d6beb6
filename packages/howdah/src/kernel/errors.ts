/**
 * The one registry of errors: code, HTTP status, exit code, whether trying again can help, and the next move.
 * `docs/reference/errors.md` and the OpenAPI enum are generated from it, and a test holds them together.
 */
export interface ErrorSpec {
  readonly status: number;
  readonly exit: number;
  readonly retryable: boolean;
  readonly hint: string;
}

/** What a script may conclude from each; stable. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  1: "internal error",
  2: "wrong input",
  3: "a value is missing",
  4: "not found",
  5: "conflict with what exists",
  6: "the server cannot be reached",
  7: "it took too long",
  8: "this machine lacks something",
  9: "PostgreSQL itself failed",
  10: "not allowed",
};

const SPECS = {
  INTERNAL: {
    status: 500,
    exit: 1,
    retryable: false,
    hint: "Run 'howdah server status' for the log file, and report the request id with it.",
  },
  USAGE: { status: 400, exit: 2, retryable: false, hint: "Run the command with --help to see what it takes." },
  INVALID_INPUT: { status: 400, exit: 2, retryable: false, hint: "Correct the named field and send it again." },
  NAME_INVALID: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Use lower-case letters, digits, '-' and '_', beginning with a letter, at most 63 bytes.",
  },
  VERSION_UNSUPPORTED: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Choose one of the majors that 'howdah engines list' shows.",
  },
  SETTING_INVALID: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Correct the setting; the PostgreSQL manual lists names and units under 'Server Configuration'.",
  },
  SETTING_OWNED: { status: 400, exit: 2, retryable: false, hint: "Howdah owns this setting; leave it out." },
  FILE_NOT_FOUND: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Name the file with -f, or run the command in the folder that holds it.",
  },
  FILE_UNREADABLE: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Check the file's permissions and that it is a text file.",
  },
  MANIFEST_INVALID: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Correct the places named above; nothing was changed.",
  },
  MANIFEST_UNSUPPORTED: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Remove the named part or write it out; nothing was changed.",
  },
  CONFIRMATION_REQUIRED: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Repeat the command with --yes if you mean it.",
  },
  CONFIG_MISSING: {
    status: 422,
    exit: 3,
    retryable: false,
    hint: "Set each of them with 'howdah config set NAME=VALUE' and run the command again.",
  },
  CONFIG_NAME_INVALID: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Config names hold letters, digits and '_', and do not begin with a digit.",
  },
  CONFIG_NOT_FOUND: {
    status: 404,
    exit: 4,
    retryable: false,
    hint: "Run 'howdah config ls' to see the names that are set.",
  },
  SERVICE_NOT_FOUND: {
    status: 404,
    exit: 4,
    retryable: false,
    hint: "Run 'howdah services list' to see every service.",
  },
  SERVICE_AMBIGUOUS: { status: 409, exit: 5, retryable: false, hint: "Write it as project/name, or use --id." },
  SERVICE_EXISTS: {
    status: 409,
    exit: 5,
    retryable: false,
    hint: "Choose another name, or remove the existing service first.",
  },
  SERVICE_BUSY: {
    status: 409,
    exit: 5,
    retryable: true,
    hint: "Wait until the work under way is done; 'howdah services show' tells which.",
  },
  SERVICE_STOPPED: { status: 409, exit: 5, retryable: false, hint: "Start it with 'howdah services start NAME'." },
  SERVICE_FAILED: {
    status: 502,
    exit: 9,
    retryable: false,
    hint: "Read 'howdah services logs NAME', correct the cause, then 'howdah services restart NAME'.",
  },
  PROJECT_NOT_FOUND: {
    status: 404,
    exit: 4,
    retryable: false,
    hint: "Run 'howdah up' in the project's folder first, or name the project with -p.",
  },
  APP_NOT_FOUND: {
    status: 404,
    exit: 4,
    retryable: false,
    hint: "Name an app or service of the compose file; 'howdah plan' lists them.",
  },
  TRASH_NOT_FOUND: {
    status: 404,
    exit: 4,
    retryable: false,
    hint: "Removed services are kept for 7 days; run 'howdah services restore-removed' without a name to list them.",
  },
  API_KEY_NOT_FOUND: { status: 404, exit: 4, retryable: false, hint: "Run 'howdah keys list' to see every API key." },
  NOT_FOUND: { status: 404, exit: 4, retryable: false, hint: "See /api/openapi.json for the paths that exist." },
  VERSION_CHANGE_REFUSED: {
    status: 409,
    exit: 5,
    retryable: false,
    hint: "Keep the major version; to move, create a second service and load a dump into it.",
  },
  ENGINE_CHANGE_REFUSED: {
    status: 409,
    exit: 5,
    retryable: false,
    hint: "Keep the engine; to move, create a second service with the other one and load a dump into it.",
  },
  PORT_TAKEN: {
    status: 409,
    exit: 5,
    retryable: true,
    hint: "Free the port or choose another; 'ss -ltnp' shows who holds it.",
  },
  NO_PORT_FREE: { status: 503, exit: 8, retryable: true, hint: "Free some ports between 5432 and 32767." },
  ENGINE_NOT_INSTALLED: {
    status: 409,
    exit: 8,
    retryable: false,
    hint: "Install it with 'howdah engines install MAJOR'.",
  },
  ENGINE_IN_USE: { status: 409, exit: 5, retryable: false, hint: "Remove the services that use it first." },
  ENGINE_DOWNLOAD_FAILED: {
    status: 502,
    exit: 8,
    retryable: true,
    hint: "Check the network and npm's registry setting, or install the PostgreSQL packages of your system; both are found by themselves.",
  },
  ENGINE_CORRUPT: {
    status: 500,
    exit: 8,
    retryable: false,
    hint: "Run 'howdah engines remove MAJOR' and install it again.",
  },
  PLATFORM_UNSUPPORTED: {
    status: 500,
    exit: 8,
    retryable: false,
    hint: "Install PostgreSQL from your system's packages; Howdah finds it by itself.",
  },
  DISK_FULL: {
    status: 507,
    exit: 8,
    retryable: true,
    hint: "Free some space on the disk that holds HOWDAH_HOME, or set HOWDAH_HOME to a larger one.",
  },
  HOME_UNUSABLE: { status: 500, exit: 8, retryable: false, hint: "Choose a folder of your own with HOWDAH_HOME." },
  KEY_EXPOSED: {
    status: 500,
    exit: 8,
    retryable: false,
    hint: "Make the key private again with 'chmod 600' and change the passwords if others may have read it.",
  },
  KEY_WRONG: {
    status: 500,
    exit: 8,
    retryable: false,
    hint: "Put the encryption_key that belongs to this state.db back in place.",
  },
  STATE_TOO_NEW: {
    status: 500,
    exit: 8,
    retryable: false,
    hint: "Install the newer Howdah again; an older one cannot read its state.",
  },
  STATE_DAMAGED: {
    status: 500,
    exit: 8,
    retryable: false,
    hint: "Put back a copy of state.db and the encryption_key that belongs to it; the databases themselves are untouched.",
  },
  TOOL_MISSING: {
    status: 500,
    exit: 8,
    retryable: false,
    hint: "Install the PostgreSQL client tools, on Debian and Ubuntu with 'apt-get install postgresql-client'.",
  },
  SERVER_UNREACHABLE: {
    status: 503,
    exit: 6,
    retryable: true,
    hint: "Start it with 'howdah server start'; its log is server.log under HOWDAH_HOME.",
  },
  SERVER_RUNNING: { status: 409, exit: 5, retryable: false, hint: "Stop it first with 'howdah server stop'." },
  SERVER_PORT_TAKEN: {
    status: 409,
    exit: 8,
    retryable: false,
    hint: "Set HOWDAH_API_PORT to a free port, or to 0 for any.",
  },
  TIMEOUT: {
    status: 504,
    exit: 7,
    retryable: true,
    hint: "Try again; 'howdah services show NAME' tells what it is waiting for.",
  },
  POSTGRES_START_FAILED: {
    status: 502,
    exit: 9,
    retryable: true,
    hint: "The last lines of the server's log are above; 'howdah services logs NAME' shows the rest.",
  },
  POSTGRES_STOP_FAILED: {
    status: 502,
    exit: 9,
    retryable: true,
    hint: "Look for stuck sessions in pg_stat_activity and try again.",
  },
  INITDB_FAILED: { status: 502, exit: 9, retryable: false, hint: "Read initdb's own message above." },
  SQL_FAILED: { status: 502, exit: 9, retryable: false, hint: "Read PostgreSQL's own message above." },
  INIT_SCRIPT_FAILED: {
    status: 422,
    exit: 9,
    retryable: false,
    hint: "Correct the script, remove the service and create it again: scripts run once, on an empty server.",
  },
  GATEWAY_UNREACHABLE: {
    status: 503,
    exit: 6,
    retryable: true,
    hint: "It is started again by itself; 'howdah server status' shows it, its log is gateway.log in the home.",
  },
  CERTIFICATE_INVALID: {
    status: 400,
    exit: 2,
    retryable: false,
    hint: "Give a PEM certificate (ECDSA or RSA), with its chain behind it, and the key that belongs to it.",
  },
  UNAUTHORIZED: {
    status: 401,
    exit: 10,
    retryable: false,
    hint: "Send 'Authorization: Bearer KEY'; create a key with 'howdah keys create NAME'.",
  },
  FORBIDDEN: {
    status: 403,
    exit: 10,
    retryable: false,
    hint: "Run the command on the machine itself, as the user that runs the server.",
  },
  BODY_TOO_LARGE: {
    status: 413,
    exit: 2,
    retryable: false,
    hint: "Send less at once; large init scripts are better loaded with psql afterwards.",
  },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof SPECS;
export const ERROR_CODES = Object.keys(SPECS) as ErrorCode[];

/** One place in a file that the user wrote; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Replaces the registry's hint where the case at hand allows a better one. */
  readonly hint?: string;
  readonly place?: Place;
  readonly fields?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** A reviewed error: its message and hint may be shown to any client, so neither ever holds a secret. */
export class HowdahError extends Error {
  override readonly name = "HowdahError";
  readonly hint: string;
  readonly place: Place | undefined;
  readonly fields: NonNullable<ErrorOptions["fields"]>;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: ErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint ?? SPECS[code].hint;
    this.place = options.place;
    this.fields = options.fields ?? {};
  }

  get spec(): ErrorSpec {
    return SPECS[this.code];
  }
}

export function errorSpec(code: ErrorCode): ErrorSpec {
  return SPECS[code];
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(SPECS, code);
}

export function isHowdahError(error: unknown, code?: ErrorCode): error is HowdahError {
  return error instanceof HowdahError && (code === undefined || error.code === code);
}

/** The errno name of a Node system error (`ENOENT`, …), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
