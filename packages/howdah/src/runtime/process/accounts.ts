import { readFileSync } from "node:fs";
import { errnoOf, HowdahError } from "../../kernel/errors.js";

/** A system user with an entry in /etc/passwd, which initdb and `postgres --single` insist on. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Parses /etc/passwd; lines that are not entries are passed over. */
export function parsePasswd(text: string): Account[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    return name !== "" && /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/**
 * The group of programs that borrow the account. Other programs of `nobody` are not in it: they can neither pass into
 * the pool nor trace what works there, for which the kernel asks for the same user and the same group.
 */
const LENT_GID = 69_999;

/** The account for programs that need one when we are root: the user is `howdah` where it exists, else `nobody`; the
 *  group is one that nobody else is in. */
export function serviceAccount(): Account {
  const accounts = parsePasswd(readSystemFile("/etc/passwd"));
  const found = accounts.find((a) => a.name === "howdah") ?? accounts.find((a) => a.name === "nobody");
  if (found !== undefined && found.uid !== 0) return { ...found, gid: LENT_GID };
  throw new HowdahError("PLATFORM_UNSUPPORTED", "the system has neither a user 'howdah' nor a user 'nobody'", {
    hint: "Create a system user named 'howdah' ('useradd --system howdah').",
  });
}

/** Numbers that belong to users and groups of this system, or that it may lend to containers. */
export function reservedIds(): (id: number) => boolean {
  const users = new Set(parsePasswd(readSystemFile("/etc/passwd")).flatMap((a) => [a.uid, a.gid]));
  for (const line of readSystemFile("/etc/group").split("\n")) users.add(Number(line.split(":")[2]));
  const lent = ["/etc/subuid", "/etc/subgid"].flatMap((file) =>
    readSystemFile(file)
      .split("\n")
      .map((line) => line.split(":").slice(1).map(Number))
      .flatMap(([from, count]) => (from && count ? [{ from, to: from + count }] : [])),
  );
  return (id) => users.has(id) || lent.some((range) => id >= range.from && id < range.to);
}

function readSystemFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}
