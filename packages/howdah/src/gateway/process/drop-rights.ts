import { HowdahError } from "../../kernel/errors.js";

/**
 * Becomes another user for good: no other groups, no way back. Call it when every module is loaded and before anything
 * is read from anybody. Nothing happens for null, which stands for an ordinary user's installation. Throws FORBIDDEN
 * when the rights are not gone afterwards.
 */
export function dropRights(user: { readonly uid: number; readonly gid: number } | null): void {
  if (user === null) return;
  const { setgroups, setgid, setuid } = process;
  if (setgroups === undefined || setgid === undefined || setuid === undefined) throw notGone("has no users");
  setgroups.call(process, []);
  setgid.call(process, user.gid);
  // As root this sets the real, the effective and the saved number, and takes all capabilities away.
  setuid.call(process, user.uid);
  verify(user);
}

function verify({ uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const users = [process.getuid?.(), process.geteuid?.()];
  const groups = [process.getgid?.(), process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if (users.some((each) => each !== uid)) throw notGone("is still another user");
  if (groups.some((each) => each !== gid)) throw notGone("is still in another group");
  for (const back of [() => process.setuid?.(0), () => process.setgid?.(0), () => process.setgroups?.([0])]) {
    if (succeeds(back)) throw notGone("can become root again");
  }
}

function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    // EPERM, as it should be.
    return false;
  }
}

function notGone(why: string): HowdahError {
  return new HowdahError("FORBIDDEN", `the gateway ${why} after giving up its rights`);
}

/** `-` stands for no other user. Throws INVALID_INPUT. */
export function parseUser(uid: string | undefined, gid: string | undefined): { uid: number; gid: number } | null {
  if (uid === "-" && gid === "-") return null;
  const user = { uid: Number(uid), gid: Number(gid) };
  const isFit = (id: number) => Number.isSafeInteger(id) && id > 0 && id < 2 ** 31;
  if (isFit(user.uid) && isFit(user.gid)) return user;
  throw new HowdahError("INVALID_INPUT", `'${uid}' and '${gid}' are no user and group of the gateway`);
}
