import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, HowdahError } from "../../kernel/errors.js";
import { reservedIds } from "./accounts.js";

/**
 * As root every service runs under a user number of its own, and so must services of two installations on one machine:
 * the same number would let one read the other's files. So a number is claimed machine-wide, by making a file named
 * after it that holds the path of the home. A claim ends with `releaseUid`, or when its home is gone, or when its own
 * home does not know it (a crash between claim and row).
 *
 * A number that was given back is not given out again before all others were: its last superuser may have left files
 * elsewhere, such as a program with set-user-id in /tmp, that would act as the next service's user.
 */
const UID_CLAIMS = "/var/lib/howdah-uids";
const FIRST_UID = 70_000;
const LAST_UID = 99_999;
/** In the folder of claims: the number given out last. */
const LAST_GIVEN = "last";
const ABANDONED_MS = 60_000;

/** Claims of this process whose row may not have been written yet. */
const inFlight = new Set<string>();

export interface UidClaim {
  readonly home: string;
  /** Numbers that rows and the trash of this home hold. */
  readonly taken: ReadonlySet<number>;
  /** Noted in the claim, for people. */
  readonly serviceId?: number;
  /** Where claims lie; other than the default only in tests. */
  readonly claims?: string;
}

/** Claims the next free number from 70000 to 99999, in a circle. Throws INTERNAL when all 30,000 are gone. */
export async function claimUid(o: UidClaim): Promise<number> {
  const claims = o.claims ?? UID_CLAIMS;
  await mkdir(claims, { recursive: true, mode: 0o700 });
  const claimed = new Set(await readdir(claims));
  const isReserved = reservedIds();
  for (const uid of circleBehind(await lastGiven(claims))) {
    if (o.taken.has(uid) || isReserved(uid)) continue;
    if (claimed.has(String(uid)) && !(await reclaim(claims, uid, o))) continue;
    if (!(await writeClaim(claims, uid, o))) continue;
    await noteLastGiven(claims, uid);
    return uid;
  }
  throw new HowdahError("INTERNAL", `no user number from ${FIRST_UID} to ${LAST_UID} is free`, {
    hint: `Look into '${claims}' for claims of homes that are no longer used.`,
  });
}

function* circleBehind(last: number): Generator<number> {
  for (let uid = last + 1; uid <= LAST_UID; uid++) yield uid;
  for (let uid = FIRST_UID; uid <= last; uid++) yield uid;
}

async function lastGiven(claims: string): Promise<number> {
  const last = Number((await claimant(join(claims, LAST_GIVEN))) ?? "");
  return Number.isInteger(last) && last >= FIRST_UID && last <= LAST_UID ? last : FIRST_UID - 1;
}

/** Of two at the same time the later one wins; that the number may fall by one or two does no harm. */
async function noteLastGiven(claims: string, uid: number): Promise<void> {
  const path = join(claims, LAST_GIVEN);
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${uid}\n`, { mode: 0o600, flag: "wx" });
  await rename(draft, path);
}

/** Gives a number back. Nothing happens when it is not this home's. */
export async function releaseUid(o: { home: string; uid: number; claims?: string }): Promise<void> {
  const path = join(o.claims ?? UID_CLAIMS, String(o.uid));
  inFlight.delete(path);
  if ((await claimant(path)) === o.home) await unlinkIfThere(path);
}

/** Makes the claims match the rows after a crash: gives back this home's numbers that no row holds, and claims again
 *  those that a row holds although their claim is gone. `used` includes the trash. Returns those of `used` that belong
 *  to another home by now, which happens to a copy of a home, or to one that was away. */
export async function reclaimUids(o: { home: string; used: ReadonlySet<number>; claims?: string }): Promise<number[]> {
  const claims = o.claims ?? UID_CLAIMS;
  await mkdir(claims, { recursive: true, mode: 0o700 });
  for (const name of await readdir(claims)) {
    const path = join(claims, name);
    const unused = /^\d+$/.test(name) && !o.used.has(Number(name)) && !inFlight.has(path);
    if (unused && (await claimant(path)) === o.home) await unlinkIfThere(path);
  }
  const lost: number[] = [];
  for (const uid of o.used) {
    if (await writeClaim(claims, uid, { home: o.home, taken: o.used })) continue;
    if (!(await isClaimedBy(o.home, uid, claims))) lost.push(uid);
  }
  return lost;
}

/** Whether the number is claimed by the home. */
export async function isClaimedBy(home: string, uid: number, claims = UID_CLAIMS): Promise<boolean> {
  return (await claimant(join(claims, String(uid)))) === home;
}

async function writeClaim(claims: string, uid: number, o: UidClaim): Promise<boolean> {
  const path = join(claims, String(uid));
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(`${o.home}\n${o.serviceId === undefined ? "" : `service ${o.serviceId}\n`}`);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
  inFlight.add(path);
  return true;
}

/** Takes away a claim that nobody stands behind. Whether it did (or found it gone). */
async function reclaim(claims: string, uid: number, o: UidClaim): Promise<boolean> {
  const path = join(claims, String(uid));
  if (!(await isStale(path, o))) return false;
  // Two installations may find the same stale claim: only who makes this file may take it away, after a second look,
  // else the slower one would take away the new claim of the faster.
  const lock = `${path}.reclaim`;
  if (!(await makeLock(lock))) return false;
  try {
    if (!(await isStale(path, o))) return false;
    await unlinkIfThere(path);
    return true;
  } finally {
    await unlinkIfThere(lock);
  }
}

async function isStale(path: string, o: UidClaim): Promise<boolean> {
  if (inFlight.has(path)) return false;
  const home = await claimant(path);
  if (home === null) return true;
  // Empty: its maker died, or is about to write it.
  if (home === "") return isOld(path);
  return home === o.home || !existsSync(home);
}

async function makeLock(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx", 0o600)).close();
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    // Whoever made it died in between; the number is free at the next attempt.
    if (await isOld(lock)) await unlinkIfThere(lock);
    return false;
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** The home that a claim names, "" for a claim not written yet, null when there is none. */
async function claimant(path: string): Promise<string | null> {
  try {
    return (await readFile(path, "utf8")).split("\n")[0] ?? "";
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
