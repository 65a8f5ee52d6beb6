import type { ServiceLayout } from "../runtime/layout.js";
import type { ProcessIdentity } from "../runtime/process/types.js";
import type { Major, Settings } from "../spec/index.js";

/** The PostgreSQL binaries of one major version. */
export interface Distribution {
  readonly kind: "embedded" | "system";
  readonly major: Major;
  /** `18.4` */
  readonly version: string;
  /** Holds initdb and postgres; readable by every service's uid. */
  readonly binDir: string;
  /** $libdir and share/extension, to see which extensions there are. */
  readonly extensionDir: string;
}

/** Everything needed to act on one server. Plain data, so that it can be made anew after a crash. */
export interface ServerSpec {
  readonly id: number;
  /** `project/name`, for log lines and errors. */
  readonly title: string;
  readonly paths: ServiceLayout;
  readonly distribution: Distribution;
  /** System user that owns the files and runs the server; null: Howdah's own user. */
  readonly uid: number | null;
  /** Group that may reach the socket (the gateway's); null: the uid's own. */
  readonly socketGid: number | null;
  readonly memoryBytes: number;
  /** The user's own settings. */
  readonly settings: Settings;
  /** Libraries that Howdah wants preloaded, besides those that the user asks for; what the distribution lacks is left out. */
  readonly preload: readonly string[];
}

/** What the operating system says about a server, read without asking the server itself. */
export type ServerObservation =
  /** No data directory, or one that initdb has not finished. */
  | { readonly kind: "absent" }
  /** A complete data directory, no postmaster. `survivors`: backends that outlived theirs. */
  | { readonly kind: "down"; readonly survivors: readonly ProcessIdentity[] }
  | { readonly kind: "starting" | "ready" | "stopping"; readonly postmaster: ProcessIdentity };

export interface StartResult {
  readonly postmaster: ProcessIdentity;
  /** Settings that were refused, when the server came up on its last good ones: "shared_preload_libraries = 'nonexistent'". */
  readonly refused: readonly string[];
  /** Milliseconds from spawn to ready. */
  readonly durationMs: number;
}

/** How the platform and the user reach a server: the role and database that must exist. */
export interface Provision {
  readonly username: string;
  readonly database: string;
  readonly password: string;
}
