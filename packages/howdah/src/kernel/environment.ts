import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { HowdahError } from "./errors.js";
import { parseSize } from "./sizes.js";

const CORRECT_IT = "Correct the environment variable, or unset it.";

/** The only reader of environment variables. Parsed once by an entry point, frozen, passed down. */
export interface Environment {
  /** Absolute path of the installation. */
  readonly home: string;
  /** Port of the REST API on 127.0.0.1; 0 asks the kernel for any. */
  readonly apiPort: number;
  /** Whether the user chose the port; the default one gives way when it is taken. */
  readonly apiPortExplicit: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  /** How many initialised clusters are kept ready; 0 turns the pool off. */
  readonly poolSize: number;
  /** Where the search for a free port begins, for endpoints whose port nobody chose. */
  readonly firstPort: number;
  /** What the settings of a service without a memory size are made for, in text such as 512M. */
  readonly defaultMemory: string;
  readonly isRoot: boolean;
  /** Name of the user that runs Howdah. */
  readonly user: string;
}

/** For the reference; a test holds it together with what is read below. */
export const VARIABLES: readonly { name: string; fallback: string; description: string }[] = [
  {
    name: "HOWDAH_HOME",
    fallback: "`/var/lib/howdah` for root, else the user's data folder (`~/.local/share/howdah`)",
    description:
      "Folder of the installation: state, keys, engines, data directories. Two homes never touch each other.",
  },
  {
    name: "HOWDAH_API_PORT",
    fallback: "`7700`",
    description:
      "Port of the REST API on 127.0.0.1. `0` asks for any free one. One that you name must be free; the default gives way.",
  },
  {
    name: "HOWDAH_LOG_LEVEL",
    fallback: "`info`",
    description: "What the server writes to its log: `debug`, `info`, `warn`, `error` or `silent`.",
  },
  {
    name: "HOWDAH_POOL_SIZE",
    fallback: "`2`",
    description: "How many initialised PostgreSQL clusters are kept ready, 0 to 64. `0` turns the pool off.",
  },
  {
    name: "HOWDAH_FIRST_PORT",
    fallback: "`5432`",
    description: "Endpoints whose port nobody chose get the first free one from here, below 32768.",
  },
  {
    name: "HOWDAH_DEFAULT_MEMORY",
    fallback: "`512M`",
    description: "What a service's settings are sized for when nothing says how much memory it has.",
  },
  {
    name: "XDG_DATA_HOME",
    fallback: "`~/.local/share`",
    description: "An ordinary user's data folder on Linux; the default home lies in it.",
  },
];

type Variables = Readonly<Record<string, string | undefined>>;

/** Throws INVALID_INPUT, naming the variable. */
export function readEnvironment(env: Variables = process.env): Environment {
  const isRoot = process.getuid?.() === 0;
  return Object.freeze({
    home: homeFolder(env, isRoot),
    apiPort: integer(env, "HOWDAH_API_PORT", 7700, 0, 65_535),
    apiPortExplicit: Boolean(env["HOWDAH_API_PORT"]),
    logLevel: oneOf(env, "HOWDAH_LOG_LEVEL", ["info", "debug", "warn", "error", "silent"] as const),
    poolSize: integer(env, "HOWDAH_POOL_SIZE", 2, 0, 64),
    firstPort: integer(env, "HOWDAH_FIRST_PORT", 5432, 1024, 32_767),
    defaultMemory: size(env, "HOWDAH_DEFAULT_MEMORY", "512M"),
    isRoot,
    user: userName(),
  });
}

/** The whole environment, for programs that the user starts through us (`howdah run`, `howdah psql`). */
export function inheritedEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined);
  return Object.fromEntries(entries);
}

/** What PostgreSQL's own programs get: nothing of ours but the way to find programs, and a fixed locale and zone. */
export function minimalEnvironment(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TZ: "UTC" };
}

function homeFolder(env: Variables, isRoot: boolean): string {
  const named = env["HOWDAH_HOME"];
  if (named) return resolve(named);
  // Nobody else may enter /root, and services run under uids of their own.
  if (isRoot) return "/var/lib/howdah";
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support", "howdah");
  return join(env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "howdah");
}

function integer(env: Variables, name: string, fallback: number, min: number, max: number): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < min || value > max) {
    throw new HowdahError("INVALID_INPUT", `${name} is '${text}', not a whole number from ${min} to ${max}`, {
      hint: CORRECT_IT,
    });
  }
  return value;
}

function size(env: Variables, name: string, fallback: string): string {
  const text = env[name] || fallback;
  try {
    parseSize(text);
  } catch (error) {
    throw new HowdahError("INVALID_INPUT", `${name} is '${text}', not a size`, {
      hint: "Write a number and a unit, such as 512M or 2Gi.",
      cause: error,
    });
  }
  return text;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    throw new HowdahError("PLATFORM_UNSUPPORTED", `user ${process.getuid?.()} has no name`, {
      hint: "Add an entry for it to /etc/passwd; initdb and peer authentication need one.",
      cause: error,
    });
  }
}

function oneOf<const T extends readonly [string, ...string[]]>(env: Variables, name: string, allowed: T): T[number] {
  const text = env[name];
  if (text === undefined || text === "") return allowed[0];
  const found = allowed.find((a) => a === text);
  if (found === undefined) {
    throw new HowdahError("INVALID_INPUT", `${name} is '${text}', not one of ${allowed.join(", ")}`, {
      hint: CORRECT_IT,
    });
  }
  return found;
}
