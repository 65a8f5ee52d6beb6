import { access } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../kernel/errors.js";
import type { Logger } from "../../kernel/log.js";
import type { Major } from "../../spec/index.js";
import type { Distribution } from "../types.js";
import { readVersion } from "./version.js";

interface Candidate {
  readonly binDir: string;
  readonly extensionDir: string;
}

/** Where packagers put the server programs of one major, the most specific first. */
export function systemCandidates(major: Major): readonly Candidate[] {
  const at = (prefix: string, share = "share") => ({
    binDir: join(prefix, "bin"),
    extensionDir: join(prefix, share, "extension"),
  });
  const brew = (prefix: string) => ({
    binDir: join(prefix, "opt", `postgresql@${major}`, "bin"),
    extensionDir: join(prefix, "opt", `postgresql@${major}`, "share", `postgresql@${major}`, "extension"),
  });
  return [
    // Debian, Ubuntu and PGDG's packages for them
    { binDir: `/usr/lib/postgresql/${major}/bin`, extensionDir: `/usr/share/postgresql/${major}/extension` },
    // PGDG's packages for Red Hat and its kin
    at(`/usr/pgsql-${major}`),
    // Alpine
    { binDir: `/usr/libexec/postgresql${major}`, extensionDir: `/usr/share/postgresql${major}/extension` },
    // openSUSE
    { binDir: `/usr/lib/postgresql${major}/bin`, extensionDir: `/usr/share/postgresql${major}/extension` },
    brew("/opt/homebrew"),
    brew("/usr/local"),
    brew("/home/linuxbrew/.linuxbrew"),
    at(`/Applications/Postgres.app/Contents/Versions/${major}`, "share/postgresql"),
    // The official image, builds from source, Arch and Fedora: one unversioned PostgreSQL of whatever major
    { binDir: "/usr/local/bin", extensionDir: "/usr/local/share/postgresql/extension" },
    { binDir: "/usr/local/pgsql/bin", extensionDir: "/usr/local/pgsql/share/extension" },
    { binDir: "/usr/bin", extensionDir: "/usr/share/postgresql/extension" },
    { binDir: "/usr/bin", extensionDir: "/usr/share/pgsql/extension" },
  ];
}

/** The system's PostgreSQL of a major, or null. One that is there but does not run is passed over with a warning. */
export async function findSystem(
  major: Major,
  log: Logger,
  candidates: readonly Candidate[] = systemCandidates(major),
): Promise<Distribution | null> {
  for (const { binDir, extensionDir } of candidates) {
    try {
      const version = await readVersion(binDir);
      if (Number.parseInt(version, 10) !== major) continue;
      // A server package always has these two; a client package or a guess at the share folder has not.
      await Promise.all([access(join(binDir, "initdb")), access(join(extensionDir, "plpgsql.control"))]);
      return { kind: "system", major, version, binDir, extensionDir };
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT" || errno === "ENOTDIR") continue;
      log.warn({ err: error, binDir, major }, "system PostgreSQL passed over");
    }
  }
  return null;
}
