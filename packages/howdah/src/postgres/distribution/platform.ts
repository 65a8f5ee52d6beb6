import { existsSync } from "node:fs";
import { HowdahError } from "../../kernel/errors.js";
import type { EmbeddedPlatform } from "./embedded-table.js";

/** What decides whether the embedded binaries can run here. */
export interface Machine {
  readonly os: string;
  readonly arch: string;
  exists(path: string): boolean;
}

export const thisMachine: Machine = { os: process.platform, arch: process.arch, exists: existsSync };

/**
 * The program loader that the Linux binaries name in their ELF header. Where it is missing (Alpine and other musl
 * systems, NixOS) the kernel answers "no such file" for a file that is plainly there, so we look first.
 */
const LOADERS: Readonly<Record<string, string>> = {
  "linux-x64": "/lib64/ld-linux-x86-64.so.2",
  "linux-arm64": "/lib/ld-linux-aarch64.so.1",
};
const PLATFORMS: readonly EmbeddedPlatform[] = ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64"];

/** The embedded platform of a machine, or null where the embedded binaries cannot run. */
export function embeddedPlatform(machine: Machine): EmbeddedPlatform | null {
  const platform = PLATFORMS.find((p) => p === `${machine.os}-${machine.arch}`);
  if (platform === undefined) return null;
  const loader = LOADERS[platform];
  return loader === undefined || machine.exists(loader) ? platform : null;
}

/** Throws PLATFORM_UNSUPPORTED, telling why the embedded binaries cannot run. */
export function requireEmbeddedPlatform(machine: Machine): EmbeddedPlatform {
  const platform = embeddedPlatform(machine);
  if (platform !== null) return platform;
  const name = `${machine.os}-${machine.arch}`;
  if (LOADERS[name] === undefined) {
    throw new HowdahError("PLATFORM_UNSUPPORTED", `there are no embedded PostgreSQL binaries for ${name}`);
  }
  throw new HowdahError(
    "PLATFORM_UNSUPPORTED",
    `the embedded PostgreSQL binaries need glibc, and '${LOADERS[name]}' is missing on this system`,
    {
      hint: "Install PostgreSQL from your system's packages, on Alpine with 'apk add postgresql18'; Howdah finds it by itself.",
    },
  );
}
