import type { Major } from "../../spec/index.js";
import { ADMIN_ROLE } from "../settings/hba.js";
import { type InitdbOption, parseInitdbOptions } from "./initdb-options.js";

const LOCALES = ["locale", "no-locale", "lc-collate", "lc-ctype", "icu-locale", "icu-rules", "builtin-locale"];

/**
 * The arguments of initdb for a new cluster: ours, with the user's on top.
 *
 * Checksums, UTF-8, and collation by code point, which sorts the same on every machine and never changes with the
 * operating system: the builtin provider from 17 on, libc's C.UTF-8 before. Whoever names a locale of their own gets
 * PostgreSQL's rules for it instead of ours. No password: the bootstrap role has none. Throws INVALID_INPUT.
 */
export function initdbArguments(o: {
  readonly major: Major;
  readonly dataDir: string;
  /** Words of POSTGRES_INITDB_ARGS. */
  readonly userArgs: readonly string[];
  readonly os?: NodeJS.Platform;
}): string[] {
  const user = parseInitdbOptions(o.userArgs);
  const gives = (name: string) => user.some((option) => option.name === name);
  const args = [
    `--pgdata=${o.dataDir}`,
    `--username=${ADMIN_ROLE}`,
    "--auth-local=peer",
    "--auth-host=scram-sha-256",
    "--no-instructions",
  ];
  if (!gives("data-checksums") && !gives("no-data-checksums")) args.push("--data-checksums");
  if (!gives("encoding") && isUtf8(user)) args.push("--encoding=UTF8");
  if (!gives("locale") && !gives("no-locale")) args.push(...libcLocale(o.os ?? process.platform));
  if (o.major >= 17 && !gives("locale-provider") && !LOCALES.some(gives)) {
    args.push("--locale-provider=builtin", "--builtin-locale=C.UTF-8");
  }
  for (const { name, value } of user) {
    // Before 18 this was the default and had no name.
    if (name === "no-data-checksums" && o.major < 18) continue;
    args.push(value === null ? `--${name}` : `--${name}=${value}`);
  }
  return args;
}

/** macOS has no C.UTF-8; there the order is C's, and the letters are those of UTF-8. */
function libcLocale(os: NodeJS.Platform): string[] {
  return os === "darwin" ? ["--locale=C", "--lc-ctype=en_US.UTF-8"] : ["--locale=C.UTF-8"];
}

/** Whether the locale that will be in force goes with UTF-8. One that names another character set, or leaves it to
 *  the system (`de_DE`), decides the encoding itself, as initdb does. */
function isUtf8(user: readonly InitdbOption[]): boolean {
  const last = (name: string) => user.findLast((option) => option.name === name)?.value;
  const locale = last("lc-ctype") ?? last("locale");
  return locale === undefined || locale === null || /^(C|POSIX)$|utf-?8/i.test(locale);
}
